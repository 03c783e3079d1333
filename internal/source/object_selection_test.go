package source

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

func TestWhatIsLeftOutOfAPrefix(t *testing.T) {
	const size = 3
	for _, test := range []struct {
		reason string
		name   string // below the prefix
		size   int64
		want   cause
	}{
		{"a part", "part-00000.jsonl", size, notLeftOut},
		{"a part in a folder of Hive", "intent=refund/part-0", size, notLeftOut},
		{"a folder of Spark for a column without a name", "_c0=1/part-0", size, notLeftOut},
		{"a value that begins with _", "intent=_none/part-0", size, notLeftOut},
		{"a _ or . further behind", "part_0.v1.csv", size, notLeftOut},
		{"a folder like a checksum", "part.crc/part-0", size, notLeftOut},
		{"a folder in vain", "a//b", size, notLeftOut},
		{"Hadoop's mark of success with content", "_SUCCESS", size, byName},
		{"Hadoop's mark of success in a folder of Hive", "intent=refund/_SUCCESS", 0, byName},
		{"a summary of Parquet", "_metadata", size, byName},
		{"a log of Delta Lake", "_delta_log/0001=1.json", size, byName},
		{"what Spark has not finished", "_temporary/0/task_1/part-0", size, byName},
		{"what Hadoop has not finished", "part-0._COPYING_", size, byName},
		{"a checksum of Hadoop", ".part-0.crc", size, byName},
		{"a checksum of another name", "part-0.crc", size, byName},
		{"a hidden file", ".DS_Store", size, byName},
		{"a hidden folder", ".ipynb_checkpoints/train.jsonl", size, byName},
		{"a hidden name with =", ".a=1/part-0", size, byName},
		{"an empty part", "part-00001.jsonl", 0, byEmptiness},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := selection{prefix: "_raw/.x/"}.causeOf(&blob.ListObject{Key: "_raw/.x/" + test.name, Size: test.size})
			if got != test.want {
				t.Errorf("%s: got %d, want %d", test.name, got, test.want)
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		reason           string
		include, exclude []string
		name             string
		want             cause
	}{
		{"no patterns", nil, nil, "a/b.jsonl", notLeftOut},
		{"* at the top", []string{"*.jsonl"}, nil, "a.jsonl", notLeftOut},
		{"* is not /", []string{"*.jsonl"}, nil, "a/b.jsonl", byInclude},
		{"** is folders", []string{"**/*.jsonl"}, nil, "a/b/c.jsonl", notLeftOut},
		{"** is no folder", []string{"**/*.jsonl"}, nil, "c.jsonl", notLeftOut},
		{"** in the middle", []string{"2026/**/part-*.csv"}, nil, "2026/11/27/part-0.csv", notLeftOut},
		{"** in the middle is no folder", []string{"2026/**/part-*.csv"}, nil, "2026/part-0.csv", notLeftOut},
		{"** at the end", []string{"2026/**"}, nil, "2026/11/a", notLeftOut},
		{"another start", []string{"2026/**"}, nil, "2025/2026/a", byInclude},
		{"patterns match all of a name", []string{"part"}, nil, "part-0", byInclude},
		{"one of several", []string{"*.csv", "*.jsonl"}, nil, "a.jsonl", notLeftOut},
		{"upper case is another", []string{"*.jsonl"}, nil, "A.JSONL", byInclude},
		{"a class", []string{"part-[0-4]"}, nil, "part-5", byInclude},
		{"what is escaped", []string{`\*`}, nil, "a", byInclude},
		{"excluded", nil, []string{"test/**"}, "test/a.jsonl", byExclude},
		{"not excluded", nil, []string{"test/**"}, "train/a.jsonl", notLeftOut},
		{"exclude comes after include", []string{"**"}, []string{"*.txt"}, "a.txt", byExclude},
		{"a folder of Hive", []string{"intent=*/*"}, nil, "intent=refund/part-0", notLeftOut},
		{"include brings back nothing", []string{"_SUCCESS"}, nil, "_SUCCESS", byName},
	} {
		t.Run(test.reason, func(t *testing.T) {
			chosen, err := parseSelection("raw/", &classifierv1alpha1.ObjectStorageSource{Include: test.include, Exclude: test.exclude})
			if err != nil {
				t.Fatal(err)
			}
			if got := chosen.causeOf(&blob.ListObject{Key: "raw/" + test.name, Size: 1}); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestPatternsThatAreRefused(t *testing.T) {
	for _, test := range []struct{ reason, pattern, says string }{
		{"a class without its end", "part-[0-9", "is no pattern"},
		{"an empty class", "[]", "is no pattern"},
		{"nothing behind a backslash", `part\`, "is no pattern"},
		{"** beside something", "**.jsonl", "as in **/*.jsonl"},
		{"** inside a name", "a/b**/c", "as in **/*.jsonl"},
		{"alternatives", "*.{csv,jsonl}", "a pattern for each"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			for field, spec := range map[string]*classifierv1alpha1.ObjectStorageSource{
				"include": {Include: []string{"*", test.pattern}},
				"exclude": {Exclude: []string{"*", test.pattern}},
			} {
				_, err := parseSelection("", spec)
				failed, ok := errors.AsType[*Error](err)
				if !ok || failed.Reason != ReasonInvalidURL || !strings.Contains(failed.Message, test.says) || !strings.HasPrefix(failed.Message, field+" has the pattern "+strconv.Quote(test.pattern)) {
					t.Errorf("%s: got %v, want %q", field, err, test.says)
				}
			}
		})
	}
}

// FuzzPatterns holds that any pattern is either refused or matched, and in a time that
// its length bounds.
func FuzzPatterns(f *testing.F) {
	f.Add("**/*.jsonl", "a/b.jsonl")
	f.Add(strings.Repeat("**/", 80)+"b", strings.Repeat("a/", 500))
	f.Add(strings.Repeat("*a", 120)+"b", strings.Repeat("a", 1000))
	f.Add(strings.Repeat("{a,a}", 50), strings.Repeat("a", 51))
	f.Add(`[\`, "a")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 256 || len(name) > 1024 || patternProblem(pattern) != "" {
			return
		}
		began := time.Now()
		matchesAny([]string{pattern}, name)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%q, %q: took %s", pattern, name, took)
		}
	})
}

func TestWhatIsLeftOutIsTold(t *testing.T) {
	for _, test := range []struct {
		reason string
		names  []string
		want   string
	}{
		{"nothing", nil, ""},
		{"one", []string{"_SUCCESS"}, "1 object is left out: _SUCCESS"},
		{"as many as are named", []string{"_SUCCESS", ".part-0.crc", "_metadata"}, "3 objects are left out: _SUCCESS, .part-0.crc, _metadata"},
		{"more than are named", []string{".a", ".b", ".c", ".d", ".e"}, "5 objects are left out: .a, .b, .c and 2 more"},
		{"a long name", []string{"." + strings.Repeat("ä", 200)}, "1 object is left out: ." + strings.Repeat("ä", 79) + "…"},
		{"a name that would break the line", []string{".a\n\x1b[31m\xff"}, "1 object is left out: .a��[31m�"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var left leftOut
			for _, name := range test.names {
				left.add(name, byName)
			}
			if got := left.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// listOf serves a list of objects in pages.
func listOf(t *testing.T, objects []blob.ListObject) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !isList(r) {
			t.Errorf("asked for %s", r.URL)
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
		to := min(from+pageObjects, len(objects))
		fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%t</IsTruncated>", to < len(objects))
		if to < len(objects) {
			fmt.Fprintf(w, "<NextContinuationToken>%d</NextContinuationToken>", to)
		}
		for _, object := range objects[from:to] {
			fmt.Fprintf(w, `<Contents><Key>intents/%s</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"1"</ETag><Size>%d</Size></Contents>`, object.Key, object.Size)
		}
		fmt.Fprint(w, "</ListBucketResult>")
	}
}

func TestWhatIsLeftOutDoesNotCountAsObjects(t *testing.T) {
	const parts = 10_000
	var objects []blob.ListObject
	for i := range parts {
		objects = append(objects, blob.ListObject{Key: fmt.Sprintf(".part-%05d.crc", i), Size: 8})
	}
	for i := range parts {
		objects = append(objects, blob.ListObject{Key: fmt.Sprintf("part-%05d", i), Size: 100})
	}
	for _, test := range []struct {
		reason  string
		objects []blob.ListObject
		want    Reason
	}{
		{"as many parts as are allowed", objects, ""},
		{"a part more", append(objects, blob.ListObject{Key: "q", Size: 1}), ReasonTooLarge},
	} {
		t.Run(test.reason, func(t *testing.T) {
			storage := newHostileStorage(t, 30*time.Second, listOf(t, test.objects))
			resolved, err := Resolve(t.Context(), storage.readers, namespace, classifierv1alpha1.DatasetSource{ObjectStorage: storage.spec()})
			if failed, _ := errors.AsType[*Error](err); test.want == "" && err != nil || test.want != "" && (failed == nil || failed.Reason != test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if test.want != "" {
				return
			}
			if size, _ := resolved.SizeBytes(); size != 100*parts {
				t.Errorf("the source has %d bytes", size)
			}
			if got := LeftOut(resolved); !strings.HasPrefix(got, "10000 objects are left out: .part-00000.crc, ") {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestPrefixOfWhichNothingIsLeft(t *testing.T) {
	for _, test := range []struct {
		reason  string
		objects []blob.ListObject
		want    string
	}{
		{"no object", nil, "there is no object under s3://samples/intents/"},
		{"nothing but folders", []blob.ListObject{{Key: ""}, {Key: "a/"}, {Key: "b_$folder$"}}, "there is no object under s3://samples/intents/"},
		{"something of every kind", []blob.ListObject{{Key: ".a", Size: 1}, {Key: "_b", Size: 1}, {Key: "a.jsonl"}, {Key: "b.txt", Size: 1}, {Key: "test.jsonl", Size: 1}},
			"there is nothing to read under s3://samples/intents/: 5 objects are left out: .a, _b, a.jsonl and 2 more" +
				" (2 by their names, 1 without content, 1 that no pattern of include matches, 1 that a pattern of exclude matches)"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			storage := newHostileStorage(t, 30*time.Second, listOf(t, test.objects))
			spec := storage.spec()
			spec.Include, spec.Exclude = []string{"*.jsonl"}, []string{"test.*"}
			_, err := Resolve(t.Context(), storage.readers, namespace, classifierv1alpha1.DatasetSource{ObjectStorage: spec})
			if failed, ok := errors.AsType[*Error](err); !ok || failed.Reason != ReasonNotFound || failed.Message != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestNamesOfObjects(t *testing.T) {
	for _, test := range []struct{ reason, of, object, want string }{
		{"under a prefix", "raw/", "raw/a/b.jsonl", "a/b.jsonl"},
		{"in a whole bucket", "", "raw/a.jsonl", "raw/a.jsonl"},
		{"by itself", "raw/a.jsonl", "raw/a.jsonl", "a.jsonl"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := (location{name: test.of}).nameOf(test.object); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
