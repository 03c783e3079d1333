package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

// TestBackUpSeveralFactories, on databases of its own, runs what docs/how-to/back-up-several-factories.md shows, once with the
// backup's bytes and once beside those of the bucket: what was there before the dump is there after it,
// what came later is not, and the job that was queued is trained.
func TestBackUpSeveralFactories(t *testing.T) {
	needTools(t, "curl", "jq")
	blocks := commands(t, filepath.Join("..", "..", "docs", "how-to", "back-up-several-factories.md"))
	if len(blocks) != 6 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	for name, value := range postgrestest.Environment(t) {
		t.Setenv(name, value)
	}
	for name, value := range map[string]string{
		"DATABASE_SERVER": "postgres:///postgres", "DATABASE_URL": "postgres:///several", "RESTORED_URL": "postgres:///several_restored",
		"BLOB_URL": buckettest.S3(t), "BACKUP_BLOB_URL": buckettest.S3(t), "RESTORED_BLOB_URL": buckettest.S3(t),
		"BUCKETS": buckettest.Path(t, "s3://", ""),
	} {
		t.Setenv(name, value)
	}
	start := blocks[5]
	for _, port := range []string{"8080", "8090", "8081"} {
		_, free, _ := strings.Cut(freeAddress(t), ":")
		start = strings.ReplaceAll(start, port, free)
		t.Setenv("PORT"+port, free)
	}
	directory := t.TempDir()
	shell(t, directory, severalFactories+
		"start() {\n"+start+"}\nback_up() {\n"+blocks[0]+"}\nrestore_database() {\n"+strings.ReplaceAll(blocks[1], "factory_restored", "several_restored")+"}\n"+
		"restore_bytes() {\n"+blocks[2]+"}\nlook() {\n"+blocks[3]+"}\naccept() {\n"+blocks[4]+"}\n"+backUpAndRestore)
	for _, place := range []string{"bytes restored", "bytes kept"} {
		results, err := os.ReadFile(filepath.Join(directory, place))
		if got := strings.Fields(string(results)); err != nil || strings.Join(got, " ") != "200 404 SUCCESS billing billing" {
			t.Errorf("%s: %v, %v; want the file before, none of after, the job ended, both models classifying", place, got, err)
		}
	}
}

// severalFactories are what the page takes for granted. The gateway's objects are files, so that cp
// does what aws does.
const severalFactories = `
aws() { case $2 in
  cp) mkdir -p "$(dirname "$BUCKETS/${4#s3://}")" && cp -a "$BUCKETS/${3#s3://}" "$BUCKETS/${4#s3://}" ;;
  sync) mkdir -p "$BUCKETS/${4#s3://}" && cp -a "$BUCKETS/${3#s3://}/." "$BUCKETS/${4#s3://}" ;;
esac; }
stop() { kill $(jobs -p) 2>/dev/null || true; wait; rm -rf new restored; }
trap stop EXIT
ask() { port=$1 path=$2; shift 2; curl -sS -H "Authorization: Bearer $FACTORY_API_KEY" "http://127.0.0.1:$port/v1/$path" "$@"; }
upload() { ask $PORT8080 files -F file=@$1 | jq -er .id; }
train() { ask $PORT8090 fine_tuning/jobs -H 'Content-Type: application/json' -d '{"model": "ministral-3b-latest", "job_type": "classifier",
  "hyperparameters": {}, "auto_start": true, "training_files": [{"file_id": "'$1'", "weight": 1}]}' | jq -er .id; }
ended() { until ask $PORT8080 fine_tuning/jobs/$1 | jq -e '.status == "SUCCESS"' > /dev/null; do sleep 0.1; done; }
model() { ask $PORT8080 fine_tuning/jobs/$1 | jq -er .fine_tuned_model; }
classify() { ask $PORT8090 classifications -H 'Content-Type: application/json' -d '{"model": "'$1'", "input": ["an invoice"]}' |
  jq -r '.results[0].queue.scores | to_entries | max_by(.value).key'; }
results() {
  ask $PORT8090 files/$FILE -o /dev/null -w '%{http_code}\n'
  ask $PORT8090 files/$LATER -o /dev/null -w '%{http_code}\n'
  ended $QUEUED; ask $PORT8080 fine_tuning/jobs/$QUEUED | jq -r .status
  classify $MODEL; classify $(model $QUEUED)
}
`

// backUpAndRestore notes what there is after each way of restoring. The second start before the
// restore makes the bucket's note newer than the dump.
const backUpAndRestore = `
createdb --maintenance-db="$DATABASE_SERVER" several
with() { RESTORED_URL=$1 RESTORED_BLOB_URL=$2 start; }
with "$DATABASE_URL" "$BLOB_URL"
for i in 1 2 3 4 5 6; do echo '{"text": "invoice '$i'", "labels": {"queue": "billing"}}'; echo '{"text": "crash '$i'", "labels": {"queue": "technical"}}'; done > mail.jsonl
FILE=$(upload mail.jsonl) JOB=$(train $FILE)
ended $JOB; MODEL=$(model $JOB)
kill %3; wait %3 || true # so that the next job stays queued
(cat mail.jsonl; echo '{"text": "an invoice", "labels": {"queue": "billing"}}') > more.jsonl
QUEUED=$(train $(upload more.jsonl))
back_up
(cat more.jsonl; cat mail.jsonl) > later.jsonl
LATER=$(upload later.jsonl)
ask $PORT8080 files/$FILE -X DELETE
stop; with "$DATABASE_URL" "$BLOB_URL"; stop

restore_database; restore_bytes; start; results > 'bytes restored'; stop
dropdb --maintenance-db="$DATABASE_SERVER" several_restored

restore_database
if look > report; then exit 1; fi
grep 'is older than the bytes beside it' report; grep 'problems: 1' report
accept; with "$RESTORED_URL" "$BLOB_URL"; results > 'bytes kept'
`
