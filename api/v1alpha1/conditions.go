package v1alpha1

// Condition types of both kinds. Ready is always present. Reconciling and Stalled are
// present only while True, and never both, as kstatus expects.
const (
	// ConditionReady says whether the object is what its spec asks for: a dataset
	// whose files are uploaded, a job whose model is published.
	ConditionReady = "Ready"
	// ConditionReconciling is present while the operator is getting there.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present while the operator cannot get there unless the
	// spec, an input or a credential changes.
	ConditionStalled = "Stalled"
	// ConditionFactoryReachable says how the last call to the factory went. It is
	// absent while none was needed.
	ConditionFactoryReachable = "FactoryReachable"
)

// Condition types of a ClassifierDataset, in the order of its steps.
const (
	// ConditionSourceReady says whether the source is there and can be read.
	ConditionSourceReady = "SourceReady"
	// ConditionValidated says whether the samples are what a factory accepts.
	ConditionValidated = "Validated"
	// ConditionUploaded says whether the factory holds the files of these samples.
	ConditionUploaded = "Uploaded"
	// ConditionReportPublished says whether the ConfigMap of spec.report has the report on
	// these samples. It is absent while none is asked for.
	ConditionReportPublished = "ReportPublished"
)

// Condition types of a ClassifierTrainingJob, in the order of its steps.
const (
	// ConditionDatasetsReady says whether every dataset can be trained on. It stays
	// as it was when the job was submitted.
	ConditionDatasetsReady = "DatasetsReady"
	// ConditionInputsCurrent says whether the datasets still are what the job was
	// submitted with. A dataset that changed does not touch the run.
	ConditionInputsCurrent = "InputsCurrent"
	// ConditionSubmitted says whether the factory has the job.
	ConditionSubmitted = "Submitted"
	// ConditionStarted says whether the factory was told to start the job.
	ConditionStarted = "Started"
	// ConditionComplete is True when the training ended in success.
	ConditionComplete = "Complete"
	// ConditionFailed is True when the training ended otherwise.
	ConditionFailed = "Failed"
	// ConditionFinished is True when the training ended in whatever way. One
	// `kubectl wait --for=condition=Finished` returns in every case.
	ConditionFinished = "Finished"
	// ConditionOutputPublished says whether the Secret with the model's ID is there.
	ConditionOutputPublished = "OutputPublished"
)

// Reasons of both kinds.
const (
	// ReasonPending: the operator has not looked at the object yet. The API server
	// says so when an object is created.
	ReasonPending = "Pending"
	// ReasonProgressing: work is under way and nothing stands in its way.
	ReasonProgressing = "Progressing"
	// ReasonSuspended: spec.suspend is true. Set it to false to go on.
	ReasonSuspended = "Suspended"
	// ReasonConnectionNotFound: the Secret that connectionSecretRef names is not
	// there, or the operator has no connection of its own. Create it.
	ReasonConnectionNotFound = "ConnectionNotFound"
	// ReasonConnectionInvalid: the connection's Secret has no api-key, or its uri
	// is no http or https address. Correct it.
	ReasonConnectionInvalid = "ConnectionInvalid"
	// ReasonReachable: the factory answered the last call.
	ReasonReachable = "Reachable"
	// ReasonUnreachable: the factory cannot be reached or fails. The call is
	// repeated, less and less often.
	ReasonUnreachable = "Unreachable"
	// ReasonAddressRefused: the connection's uri leads to a private or loopback
	// address, and the operator's flag --factory-private-hosts does not name the host.
	ReasonAddressRefused = "AddressRefused"
	// ReasonUnauthorized: the factory refused the key (401). Correct the
	// connection's Secret; a changed one is used within ten seconds.
	ReasonUnauthorized = "Unauthorized"
	// ReasonForbidden: the key is valid but may not do this (402, 403).
	ReasonForbidden = "Forbidden"
	// ReasonRateLimited: the factory, or the operator's own limit on calls, asked to wait.
	ReasonRateLimited = "RateLimited"
	// ReasonFactoryRetired: the server no longer trains classifiers (410). Use a
	// self-hosted factory: point the connection's uri to one.
	ReasonFactoryRetired = "FactoryRetired"
	// ReasonRejected: the factory refused the request (400, 413, 422). The spec or
	// the data must change before it is repeated.
	ReasonRejected = "Rejected"
	// ReasonFactoryLimitExceeded: the samples have more labels or targets, or are more, than
	// the factory says that it can train on. They are not uploaded, and no job is created.
	ReasonFactoryLimitExceeded = "FactoryLimitExceeded"
	// ReasonInternalError: the operator could not read or write what it needs in
	// the cluster. It is repeated, less and less often; the operator's log says more.
	ReasonInternalError = "InternalError"
	// ReasonDeleting: the object is being deleted and remote things are cleaned up.
	ReasonDeleting = "Deleting"
	// ReasonStatusForgotten: the status was another object's, because a backup tool
	// restored it or the cluster is a clone. What it named is left alone, and the object
	// begins anew. Only in events.
	ReasonStatusForgotten = "StatusForgotten"
	// ReasonDeletionIncomplete: the object was let go although something at the
	// factory remains. The event names what. Only in events.
	ReasonDeletionIncomplete = "DeletionIncomplete"
)

// Reasons of a ClassifierDataset.
const (
	// ReasonSourceReady: the source can be read.
	ReasonSourceReady = "SourceReady"
	// ReasonSourceNotFound: a ConfigMap, or the object in object storage, is not
	// there. A ConfigMap is noticed when it is created, an object within a minute.
	ReasonSourceNotFound = "SourceNotFound"
	// ReasonSourceKeyNotFound: a ConfigMap is there, but not the key.
	ReasonSourceKeyNotFound = "SourceKeyNotFound"
	// ReasonSourceInvalidURL: url, endpoint or region of the object storage cannot
	// be used. Correct the spec.
	ReasonSourceInvalidURL = "SourceInvalidURL"
	// ReasonSourceBucketNotFound: there is no such bucket or container.
	ReasonSourceBucketNotFound = "SourceBucketNotFound"
	// ReasonSourceCredentialsNotFound: the Secret of credentialsSecretRef does not
	// exist, or there is no credentialsSecretRef and the operator does not lend its
	// own identity to the bucket, or has none. Create the Secret.
	ReasonSourceCredentialsNotFound = "SourceCredentialsNotFound"
	// ReasonSourceInvalidCredentials: the Secret lacks a key, is for another endpoint,
	// or the storage does not know the credentials. Correct it.
	ReasonSourceInvalidCredentials = "SourceInvalidCredentials"
	// ReasonSourceExpiredCredentials: the credentials have expired. Renew them.
	ReasonSourceExpiredCredentials = "SourceExpiredCredentials"
	// ReasonSourceAccessDenied: the credentials are valid but may not read. Allow
	// reading the objects and listing the bucket.
	ReasonSourceAccessDenied = "SourceAccessDenied"
	// ReasonSourceWrongRegion: the bucket is in another region. Set region.
	ReasonSourceWrongRegion = "SourceWrongRegion"
	// ReasonSourceArchived: the object is archived. Restore it.
	ReasonSourceArchived = "SourceArchived"
	// ReasonSourceTooLarge: the objects are more, or larger, than the operator reads.
	ReasonSourceTooLarge = "SourceTooLarge"
	// ReasonSourceAddressRefused: the storage is at an address that the operator
	// connects to only if its flags name the host.
	ReasonSourceAddressRefused = "SourceAddressRefused"
	// ReasonSourceUnreachable: the storage cannot be reached, is silent, too slow, or
	// fails. It is tried again within a minute.
	ReasonSourceUnreachable = "SourceUnreachable"
	// ReasonWaiting: other datasets are prepared or uploaded first. Its turn comes by itself.
	ReasonWaiting = "Waiting"
	// ReasonPreparing: the samples are read and validated. The message says how far.
	ReasonPreparing = "Preparing"
	// ReasonValid: every sample is what a factory accepts.
	ReasonValid = "Valid"
	// ReasonValidWithWarnings: every sample is valid, but a model trained on them
	// may be worse than it need be. The message says what to look at.
	ReasonValidWithWarnings = "ValidWithWarnings"
	// ReasonInvalidSamples: some samples are not. status.invalidSamples has the
	// first lines and their reasons.
	ReasonInvalidSamples = "InvalidSamples"
	// ReasonInvalidDataset: each sample is well-formed but together they are no
	// training data, such as a target with a single label.
	ReasonInvalidDataset = "InvalidDataset"
	// ReasonStagingFull: the operator's disk has not enough room for the samples now.
	// The dataset waits its turn; or the disk holds less than --staging-bytes.
	ReasonStagingFull = "StagingFull"
	// ReasonStagingTooSmall: the samples need more room than the operator's flag
	// --staging-bytes allows. Make several datasets of them, or raise it.
	ReasonStagingTooSmall = "StagingTooSmall"
	// ReasonUploading: files are yet to be uploaded.
	ReasonUploading = "Uploading"
	// ReasonUploadAltered: by its size or digest the factory holds something else than
	// was sent. It is deleted there, and sent again in a minute.
	ReasonUploadAltered = "UploadAltered"
	// ReasonUploaded: every file is uploaded. Ready and Uploaded.
	ReasonUploaded = "Uploaded"
	// ReasonReportPublished: the ConfigMap has the full report.
	ReasonReportPublished = "ReportPublished"
	// ReasonConfigMapConflict: the ConfigMap for the report belongs to somebody else, or
	// the dataset reads it, and is not touched. Name another one in spec.report.
	ReasonConfigMapConflict = "ConfigMapConflict"
)

// Reasons of a ClassifierTrainingJob.
const (
	// ReasonDatasetsReady: every dataset could be trained on when the job was submitted.
	ReasonDatasetsReady = "DatasetsReady"
	// ReasonDatasetsOverlap: every dataset can be trained on, but what is to validate the
	// training is also trained on, so that scores say too much. The message says how much.
	ReasonDatasetsOverlap = "DatasetsOverlap"
	// ReasonDatasetNotFound: a dataset is not there. It is looked for again when
	// one of that name is created.
	ReasonDatasetNotFound = "DatasetNotFound"
	// ReasonDatasetNotReady: a dataset is not Ready. The message repeats why.
	ReasonDatasetNotReady = "DatasetNotReady"
	// ReasonDatasetFileLost: the factory refused the job because it lacks a file that a
	// dataset had uploaded: somebody deleted it, or the factory was restored to a moment
	// before. The dataset uploads it again, and the job goes on by itself.
	ReasonDatasetFileLost = "DatasetFileLost"
	// ReasonConnectionMismatch: a dataset was uploaded through another connection
	// than the job's. Give both the same connectionSecretRef.
	ReasonConnectionMismatch = "ConnectionMismatch"
	// ReasonInputsCurrent: the datasets are what the job was submitted with.
	ReasonInputsCurrent = "InputsCurrent"
	// ReasonDatasetChanged: a dataset has other samples than those that the job was
	// submitted with, or is gone. Create another job to train on the new ones.
	ReasonDatasetChanged = "DatasetChanged"
	// ReasonCredentialsNotFound: the Secret with the API key of Weights & Biases is
	// not there. Create it.
	ReasonCredentialsNotFound = "CredentialsNotFound"
	// ReasonCredentialsInvalid: the Secret has no API key of 40 to 128 characters
	// where apiKeySecretRef says. Correct it.
	ReasonCredentialsInvalid = "CredentialsInvalid"
	// ReasonImportNotFound: the factory has no job of the ID in spec.importJobID. It
	// is looked for again every hour, and at once when the connection's Secret changed.
	ReasonImportNotFound = "ImportNotFound"
	// ReasonImportMismatch: the job of spec.importJobID does not train a classifier.
	// Create another object with the right ID.
	ReasonImportMismatch = "ImportMismatch"
	// ReasonSubmitting: the job is about to be created, or it is not known yet
	// whether it was.
	ReasonSubmitting = "Submitting"
	// ReasonSubmitted: the factory has the job.
	ReasonSubmitted = "Submitted"
	// ReasonAwaitingValidation: the factory is looking at the data.
	ReasonAwaitingValidation = "AwaitingValidation"
	// ReasonAwaitingStart: the imported job is validated. It is for whoever created
	// it to start it.
	ReasonAwaitingStart = "AwaitingStart"
	// ReasonBudgetExceeded: the factory's estimate is above spec.maxCost, or in another
	// currency. Raise spec.maxCost to let the job start, or delete the job.
	ReasonBudgetExceeded = "BudgetExceeded"
	// ReasonCostUnknown: spec.maxCost is set, but the factory gave no estimate. Remove
	// spec.maxCost to let the job start whatever it costs.
	ReasonCostUnknown = "CostUnknown"
	// ReasonStarted: the factory was told to start.
	ReasonStarted = "Started"
	// ReasonStartedUnasked: the job runs, but the operator did not start it. Somebody
	// did at the factory, or the factory ignores auto_start: false; then spec.suspend
	// and spec.maxCost cannot hold a job back there.
	ReasonStartedUnasked = "StartedUnasked"
	// ReasonTraining: the factory has the job in hand.
	ReasonTraining = "Training"
	// ReasonSucceeded: the training ended in success.
	ReasonSucceeded = "Succeeded"
	// ReasonValidationFailed: the factory found the data or the parameters unfit
	// (FAILED_VALIDATION).
	ReasonValidationFailed = "ValidationFailed"
	// ReasonTrainingFailed: the training broke off (FAILED).
	ReasonTrainingFailed = "TrainingFailed"
	// ReasonBackingOff: the training broke off and is tried again after a pause, as
	// spec.backoffLimit allows.
	ReasonBackingOff = "BackingOff"
	// ReasonDeadlineExceeded: the job took longer than spec.activeDeadlineSeconds and
	// was cancelled.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonModelUnusable: the training ended in success, but the factory gave the
	// model an ID of more than 256 bytes.
	ReasonModelUnusable = "ModelUnusable"
	// ReasonCancelled: somebody cancelled the job at the factory (CANCELLED).
	ReasonCancelled = "Cancelled"
	// ReasonRemoteJobMissing: the factory does not know the job: it is gone, or the
	// connection's key is another tenant's. It is never created again in silence, but
	// looked for, and at once when the connection's Secret changed. To go on with a job
	// that exists, create another object with spec.importJobID.
	ReasonRemoteJobMissing = "RemoteJobMissing"
	// ReasonModelMissing: the published model is no longer at the factory. Restore it
	// there, or train again.
	ReasonModelMissing = "ModelMissing"
	// ReasonModelArchived: the published model is archived, and answers nobody.
	// Unarchive it at the factory.
	ReasonModelArchived = "ModelArchived"
	// ReasonPublished: the Secret with the model's ID is there.
	ReasonPublished = "Published"
	// ReasonSecretConflict: a Secret of that name belongs to somebody else and is
	// not touched. Delete it or name another one in spec.output.
	ReasonSecretConflict = "SecretConflict"
)
