package cli

import (
	"strings"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// actor is who has to act for an object to go on.
type actor string

const (
	nobody   actor = "nobody"
	you      actor = "you"
	operator actor = "whoever runs the operator"
	factory  actor = "whoever runs the factory"
)

// advice is the one next thing to do, and who has to do it.
type advice struct {
	Who actor  `json:"who"`
	Do  string `json:"do"`
}

// subject is the object that an advice is about. Absent names are empty.
type subject struct {
	kind, namespace, name string

	connection  string // Secret of the connection
	credentials string // Secret of the storage, or of Weights & Biases
	secret      string // that the model is published as
	report      string // ConfigMap of the report
	model       string
	remoteJob   string
}

func (s subject) resource() string {
	if s.kind == kindDataset {
		return "cds/" + s.name
	}
	return "ctj/" + s.name
}

// about fills the subject's names into a text.
func (s subject) about(text string) string {
	return strings.NewReplacer(
		"{namespace}", s.namespace,
		"{name}", s.name,
		"{resource}", s.resource(),
		"{edit}", "kubectl edit "+s.resource()+" -n "+s.namespace,
		"{look}", "kubectl classifier retry "+s.resource()+" -n "+s.namespace,
		"{connection}", s.connection,
		"{credentials}", orElse(s.credentials, "NAME"),
		"{secret}", orElse(s.secret, s.name),
		"{report}", orElse(s.report, "NAME"),
		"{model}", orElse(s.model, "MODEL"),
		"{job}", orElse(s.remoteJob, "JOB"),
	).Replace(text)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// counsel is the advice for a reason.
type counsel struct {
	who actor
	do  string
	// own is for an object without connectionSecretRef; the zero advice: the same.
	own advice
}

const (
	correctConnection = "correct uri and api-key in Secret {connection}: kubectl edit secret {connection} -n {namespace}"
	trainAnew         = "create another ClassifierTrainingJob: kubectl classifier retry {name} -n {namespace}"
)

var (
	// itself is how what needs nobody goes on.
	itself   = counsel{who: nobody, do: "nothing: it goes on by itself"}
	finished = counsel{who: nobody, do: "nothing: all is done"}
)

// advices are what to do by the reason of conditions.go. A test holds it complete.
var advices = map[string]counsel{
	// Of both kinds.
	classifierv1alpha1.ReasonPending: {who: nobody,
		do: "nothing, if it has just been created; if this lasts, see whether the operator runs and may work in namespace {namespace}: kubectl get deployments -A -l app.kubernetes.io/name=classifier-factory"},
	classifierv1alpha1.ReasonProgressing: itself,
	classifierv1alpha1.ReasonSuspended: {who: you,
		do: `let it go on when it is approved: kubectl patch {resource} -n {namespace} --type=merge -p '{"spec":{"suspend":false}}'`},
	classifierv1alpha1.ReasonConnectionNotFound: {who: you,
		do:  "create the Secret: kubectl create secret generic {connection} -n {namespace} --from-literal=uri=URL --from-file=api-key=FILE",
		own: advice{operator, "give the operator a connection of its own, --server-url and MISTRAL_API_KEY; or create the object anew with connectionSecretRef"}},
	classifierv1alpha1.ReasonConnectionInvalid: {who: you, do: correctConnection,
		own: advice{operator, "correct the operator's --server-url and MISTRAL_API_KEY"}},
	classifierv1alpha1.ReasonReachable: finished,
	classifierv1alpha1.ReasonUnreachable: {who: factory,
		do:  "see whether the factory runs at the uri of Secret {connection}, and why it does not answer; calls are repeated by themselves",
		own: advice{factory, "see whether the factory runs, and why it does not answer: kubectl get pods -A -l app.kubernetes.io/name=classifier-factory; calls are repeated by themselves"}},
	classifierv1alpha1.ReasonAddressRefused: {who: operator,
		do: "name the host of the connection's uri in the operator's flag --factory-private-hosts, if it may connect there"},
	classifierv1alpha1.ReasonUnauthorized: {who: you, do: correctConnection,
		own: advice{operator, "give the operator a key that the factory knows, in MISTRAL_API_KEY"}},
	classifierv1alpha1.ReasonForbidden: {who: factory,
		do:  "allow the key of Secret {connection} to train (the scope train, or act-for), or pay for it",
		own: advice{factory, "allow the operator's key to train in others' names (the scope act-for), or pay for it"}},
	classifierv1alpha1.ReasonRateLimited: itself,
	classifierv1alpha1.ReasonFactoryRetired: {who: you,
		do:  "point the uri in Secret {connection} to a factory of your own: kubectl edit secret {connection} -n {namespace}",
		own: advice{operator, "point the operator's --server-url to a factory of your own"}},
	classifierv1alpha1.ReasonRejected: {who: you,
		do: "change what the message names, in the spec or in the data: {edit}; what cannot be changed needs another object"},
	classifierv1alpha1.ReasonFactoryLimitExceeded: {who: you,
		do: "use fewer labels, targets or samples, such as by spec.preparation of the dataset; the message has the factory's limit"},
	classifierv1alpha1.ReasonInternalError: {who: operator,
		do: "look into the operator's log; it is tried again by itself: kubectl logs -n classifier-factory-system -l app.kubernetes.io/component=operator --tail=50"},
	classifierv1alpha1.ReasonDeleting: {who: nobody, do: "nothing: the factory is tidied up, within two minutes"},
	classifierv1alpha1.ReasonStatusForgotten: {who: factory,
		do: "if nobody follows the job that the event names any more, cancel it at the factory; this object has begun anew"},
	classifierv1alpha1.ReasonDeletionIncomplete: {who: factory,
		do: "delete at the factory what the event names; the object itself is gone"},

	// Of a ClassifierDataset.
	classifierv1alpha1.ReasonSourceReady: itself,
	classifierv1alpha1.ReasonSourceNotFound: {who: you,
		do: "create what the message names, or correct spec.source: {edit}"},
	classifierv1alpha1.ReasonSourceKeyNotFound: {who: you,
		do: "add the key to the ConfigMap, or correct spec.source.configMaps: {edit}"},
	classifierv1alpha1.ReasonSourceInvalidURL: {who: you,
		do: "correct url, endpoint or region in spec.source.objectStorage: {edit}"},
	classifierv1alpha1.ReasonSourceBucketNotFound: {who: you,
		do: "create the bucket, or correct spec.source.objectStorage.url: {edit}"},
	classifierv1alpha1.ReasonSourceCredentialsNotFound: {who: you,
		do: "create the Secret {credentials} with the storage's credentials and name it in spec.source.objectStorage.credentialsSecretRef: {edit}"},
	classifierv1alpha1.ReasonSourceInvalidCredentials: {who: you,
		do: "correct the storage's credentials: kubectl edit secret {credentials} -n {namespace}"},
	classifierv1alpha1.ReasonSourceExpiredCredentials: {who: you,
		do: "renew the storage's credentials: kubectl edit secret {credentials} -n {namespace}"},
	classifierv1alpha1.ReasonSourceAccessDenied: {who: you,
		do: "allow the credentials to read the objects and to list the bucket"},
	classifierv1alpha1.ReasonSourceWrongRegion: {who: you,
		do: "set the bucket's region in spec.source.objectStorage.region: {edit}"},
	classifierv1alpha1.ReasonSourceArchived: {who: you,
		do: "restore the object from the archive of the storage"},
	classifierv1alpha1.ReasonSourceTooLarge: {who: you,
		do: "make several datasets of the objects, or have the operator's --max-source-bytes raised"},
	classifierv1alpha1.ReasonSourceAddressRefused: {who: operator,
		do: "name the storage's host in the flag of the operator that the message names, if it may connect there"},
	classifierv1alpha1.ReasonSourceUnreachable: {who: you,
		do: "see whether the storage answers at spec.source.objectStorage; it is tried again by itself"},
	classifierv1alpha1.ReasonWaiting:   itself,
	classifierv1alpha1.ReasonPreparing: itself,
	classifierv1alpha1.ReasonValid:     itself,
	classifierv1alpha1.ReasonValidWithWarnings: {who: you,
		do: "look at the warnings before you train: kubectl get {resource} -n {namespace} -o jsonpath='{.status.warnings}'"},
	classifierv1alpha1.ReasonInvalidSamples: {who: you,
		do: "correct the lines of the source that the message names, or skip a few with spec.preparation.invalidSamples: Skip: {edit}"},
	classifierv1alpha1.ReasonInvalidDataset: {who: you,
		do: "change the data as the message says; `kubectl classifier lint` shows it before it is applied"},
	classifierv1alpha1.ReasonStagingFull: itself,
	classifierv1alpha1.ReasonStagingTooSmall: {who: you,
		do: "make several datasets of the samples, or have the operator's --staging-bytes raised, and its volume with it"},
	classifierv1alpha1.ReasonUploading:     itself,
	classifierv1alpha1.ReasonUploadAltered: {who: factory, do: "see what alters or cuts uploads between operator and factory, such as a proxy; it is sent again by itself"},
	classifierv1alpha1.ReasonUploaded: {who: nobody,
		do: "nothing: it can be trained on, by a ClassifierTrainingJob that names it"},
	classifierv1alpha1.ReasonReportPublished: finished,
	classifierv1alpha1.ReasonConfigMapConflict: {who: you,
		do: "name another ConfigMap than {report} in spec.report.configMapName, or delete that one: {edit}"},

	// Of a ClassifierTrainingJob.
	classifierv1alpha1.ReasonDatasetsReady: itself,
	classifierv1alpha1.ReasonDatasetsOverlap: {who: you,
		do: "take the samples that are in both out of one of the datasets, and " + trainAnew},
	classifierv1alpha1.ReasonDatasetNotFound: {who: you,
		do: "create the ClassifierDataset that the message names; the job goes on by itself"},
	classifierv1alpha1.ReasonDatasetNotReady: {who: you,
		do: "see to the dataset that the message names: kubectl classifier explain cds/DATASET -n {namespace}"},
	classifierv1alpha1.ReasonDatasetFileLost: {who: nobody,
		do: "nothing: the dataset uploads its file again, and the job goes on"},
	classifierv1alpha1.ReasonConnectionMismatch: {who: you,
		do: "create the job or the dataset anew, both with the same connectionSecretRef"},
	classifierv1alpha1.ReasonInputsCurrent: finished,
	classifierv1alpha1.ReasonDatasetChanged: {who: you,
		do: "to train on the samples as they are now, " + trainAnew},
	classifierv1alpha1.ReasonCredentialsNotFound: {who: you,
		do: "create the Secret with the key of Weights & Biases: kubectl create secret generic {credentials} -n {namespace} --from-file=KEY=FILE"},
	classifierv1alpha1.ReasonCredentialsInvalid: {who: you,
		do: "correct the key of Weights & Biases, of 40 to 128 characters: kubectl edit secret {credentials} -n {namespace}"},
	classifierv1alpha1.ReasonImportNotFound: {who: you,
		do: "see whether the factory has the job under this connection's key, and then {look}; for another ID create another object"},
	classifierv1alpha1.ReasonImportMismatch: {who: you,
		do: "create another object, with the ID of a job that trains a classifier in spec.importJobID"},
	classifierv1alpha1.ReasonSubmitting:         itself,
	classifierv1alpha1.ReasonSubmitted:          itself,
	classifierv1alpha1.ReasonAwaitingValidation: itself,
	classifierv1alpha1.ReasonAwaitingStart: {who: factory,
		do: "start the imported job {job} at the factory: who created it has to"},
	classifierv1alpha1.ReasonBudgetExceeded: {who: you,
		do: "raise spec.maxCost above the estimate, in its currency, if it is worth it: {edit}"},
	classifierv1alpha1.ReasonCostUnknown: {who: you,
		do: "remove spec.maxCost to start the job whatever it costs: {edit}"},
	classifierv1alpha1.ReasonStarted: itself,
	classifierv1alpha1.ReasonStartedUnasked: {who: factory,
		do: "find out who started the job at the factory; spec.suspend and spec.maxCost could not hold it back"},
	classifierv1alpha1.ReasonTraining: {who: nobody,
		do: "nothing: kubectl classifier watch {name} -n {namespace} shows how far it is"},
	classifierv1alpha1.ReasonSucceeded: itself,
	classifierv1alpha1.ReasonValidationFailed: {who: you,
		do: "correct the data or the parameters that the message names, and " + trainAnew},
	classifierv1alpha1.ReasonTrainingFailed: {who: you, do: trainAnew},
	classifierv1alpha1.ReasonBackingOff:     itself,
	classifierv1alpha1.ReasonDeadlineExceeded: {who: you,
		do: "create another ClassifierTrainingJob with a longer activeDeadlineSeconds, or less to learn"},
	classifierv1alpha1.ReasonModelUnusable: {who: factory,
		do: "have the factory give models IDs of 256 bytes at most, and train again"},
	classifierv1alpha1.ReasonCancelled: {who: you, do: "if it is wanted after all, " + trainAnew},
	classifierv1alpha1.ReasonRemoteJobMissing: {who: you,
		do: "correct the connection's key, if it is another tenant's; or go on with a job that exists in another object, with spec.importJobID; or " + trainAnew},
	classifierv1alpha1.ReasonModelMissing: {who: factory,
		do: "restore the model {model} at the factory; or " + trainAnew},
	classifierv1alpha1.ReasonModelArchived: {who: factory,
		do: "unarchive the model {model} at the factory"},
	classifierv1alpha1.ReasonPublished: {who: nobody,
		do: `nothing: the model is there; kubectl classifier try {name} -n {namespace} "TEXT" asks it`},
	classifierv1alpha1.ReasonSecretConflict: {who: you,
		do: "name another Secret than {secret} in spec.output.secretName, or delete that one if nobody needs it: {edit}"},
}

// adviceOn says what to do about a reason. One that this version does not know is of a
// later operator, whose message says more.
func adviceOn(reason string, s subject) advice {
	known, ok := advices[reason]
	switch {
	case !ok:
		return advice{you, "do as the message says"}
	case s.connection == "" && known.own != advice{}:
		return advice{known.own.Who, s.about(known.own.Do)}
	}
	return advice{known.who, s.about(known.do)}
}
