package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestNextActionOfEveryReason holds for each reason of conditions.go who has to act, and
// what the one next thing is, of an object that is as it is for that reason.
func TestNextActionOfEveryReason(t *testing.T) {
	tests := map[string]struct {
		kind string // empty: a job
		who  actor
		want string // in what to do
	}{
		"Pending":              {"", nobody, "see whether the operator runs"},
		"Progressing":          {"", nobody, "by itself"},
		"Suspended":            {"", you, `kubectl patch ctj/mail -n team --type=merge -p '{"spec":{"suspend":false}}'`},
		"ConnectionNotFound":   {"", you, "kubectl create secret generic link -n team"},
		"ConnectionInvalid":    {"", you, "kubectl edit secret link -n team"},
		"Reachable":            {"", nobody, "nothing"},
		"Unreachable":          {"", factory, "uri of Secret link"},
		"AddressRefused":       {"", operator, "--factory-private-hosts"},
		"Unauthorized":         {"", you, "api-key in Secret link"},
		"Forbidden":            {"", factory, "scope"},
		"RateLimited":          {"", nobody, "by itself"},
		"FactoryRetired":       {"", you, "kubectl edit secret link -n team"},
		"Rejected":             {"", you, "kubectl edit ctj/mail -n team"},
		"FactoryLimitExceeded": {kindDataset, you, "fewer labels"},
		"InternalError":        {"", operator, "kubectl logs"},
		"Deleting":             {"", nobody, "two minutes"},
		"StatusForgotten":      {"", factory, "cancel it at the factory"},
		"DeletionIncomplete":   {"", factory, "delete at the factory what the event names"},

		"SourceReady":               {kindDataset, nobody, "by itself"},
		"SourceNotFound":            {kindDataset, you, "kubectl edit cds/mail -n team"},
		"SourceKeyNotFound":         {kindDataset, you, "add the key to the ConfigMap"},
		"SourceInvalidURL":          {kindDataset, you, "objectStorage"},
		"SourceBucketNotFound":      {kindDataset, you, "create the bucket"},
		"SourceCredentialsNotFound": {kindDataset, you, "create the Secret bucket-key"},
		"SourceInvalidCredentials":  {kindDataset, you, "kubectl edit secret bucket-key -n team"},
		"SourceExpiredCredentials":  {kindDataset, you, "renew"},
		"SourceAccessDenied":        {kindDataset, you, "list the bucket"},
		"SourceWrongRegion":         {kindDataset, you, "region"},
		"SourceArchived":            {kindDataset, you, "restore the object"},
		"SourceTooLarge":            {kindDataset, you, "--max-source-bytes"},
		"SourceAddressRefused":      {kindDataset, operator, "flag of the operator"},
		"SourceUnreachable":         {kindDataset, you, "see whether the storage answers"},
		"Waiting":                   {kindDataset, nobody, "by itself"},
		"Preparing":                 {kindDataset, nobody, "by itself"},
		"Valid":                     {kindDataset, nobody, "by itself"},
		"ValidWithWarnings":         {kindDataset, you, "{.status.warnings}"},
		"InvalidSamples":            {kindDataset, you, "correct the lines"},
		"InvalidDataset":            {kindDataset, you, "kubectl classifier lint"},
		"StagingFull":               {kindDataset, nobody, "by itself"},
		"StagingTooSmall":           {kindDataset, you, "--staging-bytes"},
		"Uploading":                 {kindDataset, nobody, "by itself"},
		"UploadAltered":             {kindDataset, factory, "cuts uploads"},
		"Uploaded":                  {kindDataset, nobody, "can be trained on"},
		"ReportPublished":           {kindDataset, nobody, "nothing"},
		"ConfigMapConflict":         {kindDataset, you, "another ConfigMap than report"},

		"DatasetsReady":       {"", nobody, "by itself"},
		"DatasetsOverlap":     {"", you, "out of one of the datasets"},
		"DatasetNotFound":     {"", you, "create the ClassifierDataset"},
		"DatasetNotReady":     {"", you, "kubectl classifier explain cds/"},
		"DatasetFileLost":     {"", nobody, "uploads its file again"},
		"ConnectionMismatch":  {"", you, "same connectionSecretRef"},
		"InputsCurrent":       {"", nobody, "nothing"},
		"DatasetChanged":      {"", you, "kubectl classifier retry mail -n team"},
		"CredentialsNotFound": {"", you, "kubectl create secret generic wandb-key -n team"},
		"CredentialsInvalid":  {"", you, "kubectl edit secret wandb-key -n team"},
		"ImportNotFound":      {"", you, "kubectl classifier retry ctj/mail -n team"},
		"ImportMismatch":      {"", you, "spec.importJobID"},
		"Submitting":          {"", nobody, "by itself"},
		"Submitted":           {"", nobody, "by itself"},
		"AwaitingValidation":  {"", nobody, "by itself"},
		"AwaitingStart":       {"", factory, "start the imported job remote"},
		"BudgetExceeded":      {"", you, "raise spec.maxCost"},
		"CostUnknown":         {"", you, "remove spec.maxCost"},
		"Started":             {"", nobody, "by itself"},
		"StartedUnasked":      {"", factory, "find out who started"},
		"Training":            {"", nobody, "kubectl classifier watch mail -n team"},
		"Succeeded":           {"", nobody, "by itself"},
		"ValidationFailed":    {"", you, "kubectl classifier retry mail -n team"},
		"TrainingFailed":      {"", you, "kubectl classifier retry mail -n team"},
		"BackingOff":          {"", nobody, "by itself"},
		"DeadlineExceeded":    {"", you, "activeDeadlineSeconds"},
		"ModelUnusable":       {"", factory, "256 bytes"},
		"Cancelled":           {"", you, "kubectl classifier retry mail -n team"},
		"RemoteJobMissing":    {"", you, "spec.importJobID"},
		"ModelMissing":        {"", factory, "restore the model ft:mail"},
		"ModelArchived":       {"", factory, "unarchive the model ft:mail"},
		"Published":           {"", nobody, `kubectl classifier try mail -n team "TEXT"`},
		"SecretConflict":      {"", you, "another Secret than mail-model"},
	}
	reasons := reasonsOf(t)
	for _, reason := range reasons {
		test, ok := tests[reason]
		if !ok {
			t.Errorf("%s of conditions.go is not in this table", reason)
			continue
		}
		t.Run(reason, func(t *testing.T) {
			next := storyFor(test.kind, reason).Next
			if next.Who != test.who || !strings.Contains(next.Do, test.want) || strings.ContainsAny(strings.ReplaceAll(strings.ReplaceAll(next.Do, `'{"spec":{"suspend":false}}'`, ""), "{.status.warnings}", ""), "{}") {
				t.Errorf("for %s: %s; want for %s: %s", next.Who, next.Do, test.who, test.want)
			}
		})
		delete(tests, reason)
	}
	for reason := range tests {
		t.Errorf("%s is in this table, but is no reason", reason)
	}
	if len(advices) != len(reasons) {
		t.Errorf("there is advice for %d reasons, and there are %d", len(advices), len(reasons))
	}
}

// storyFor is that of an object that is not Ready for a reason, with a name for all that it refers to.
func storyFor(kind, reason string) *story {
	meta := metav1.ObjectMeta{Namespace: "team", Name: "mail"}
	conditions := []metav1.Condition{{Type: classifierv1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: "because"}}
	connection := &classifierv1alpha1.SecretReference{Name: "link"}
	if kind == kindDataset {
		dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: meta}
		dataset.Spec.ConnectionSecretRef = connection
		dataset.Spec.Report = &classifierv1alpha1.DatasetReportRequest{ConfigMapName: "report"}
		dataset.Spec.Source.ObjectStorage = &classifierv1alpha1.ObjectStorageSource{URL: "s3://b/a", CredentialsSecretRef: &classifierv1alpha1.SecretReference{Name: "bucket-key"}}
		dataset.Status.Conditions = conditions
		return datasetStory(dataset)
	}
	job := &classifierv1alpha1.ClassifierTrainingJob{ObjectMeta: meta}
	job.Spec.ConnectionSecretRef = connection
	job.Spec.Output = &classifierv1alpha1.TrainingOutput{SecretName: "mail-model"}
	job.Spec.Training.WeightsAndBiases = &classifierv1alpha1.WeightsAndBiases{APIKeySecretRef: classifierv1alpha1.SecretKeyReference{Name: "wandb-key"}}
	job.Status.Conditions = conditions
	job.Status.RemoteJob = &classifierv1alpha1.RemoteJob{ID: "remote"}
	job.Status.Model = &classifierv1alpha1.ModelStatus{ID: "ft:mail"}
	return jobStory(job, nil)
}

// TestOwnConnectionIsTheOperatorsToRepair is of objects without connectionSecretRef.
func TestOwnConnectionIsTheOperatorsToRepair(t *testing.T) {
	for reason, who := range map[string]actor{
		"ConnectionNotFound": operator,
		"ConnectionInvalid":  operator,
		"Unauthorized":       operator,
		"FactoryRetired":     operator,
		"Forbidden":          factory,
		"Unreachable":        factory,
	} {
		if next := adviceOn(reason, subject{kind: kindJob, namespace: "team", name: "mail"}); next.Who != who || strings.Contains(next.Do, "Secret {connection}") || strings.Contains(next.Do, "Secret :") {
			t.Errorf("%s: for %s: %s", reason, next.Who, next.Do)
		}
	}
}

func TestReasonOfALaterOperator(t *testing.T) {
	if next := adviceOn("Unheard", subject{}); next.Who != you || next.Do == "" {
		t.Errorf("the advice is %+v", next)
	}
}

// reasonsOf are the values of all constants ReasonX of conditions.go.
func reasonsOf(t *testing.T) (reasons []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "api", "v1alpha1", "conditions.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		constant, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(constant.Names[0].Name, "Reason") {
			return true
		}
		reason, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, reason)
		return true
	})
	if len(reasons) < 50 {
		t.Fatalf("only %d reasons are read", len(reasons))
	}
	return reasons
}
