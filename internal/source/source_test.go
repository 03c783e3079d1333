package source

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const namespace = "team"

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid of " + name)}, Data: data}
}

// cluster has ConfigMaps, and a cache of their metadata that is up to date. Reads
// of whole ConfigMaps are counted by name; the cache gives none.
type cluster struct {
	client.Client
	reads map[string]int
}

func newCluster(t *testing.T, objects ...client.Object) *cluster {
	t.Helper()
	c := &cluster{reads: map[string]int{}}
	c.Client = fake.NewClientBuilder().WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, real client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			if _, ok := object.(*corev1.ConfigMap); ok {
				c.reads[key.Name]++
			}
			return real.Get(ctx, key, object, options...)
		},
	}).Build()
	return c
}

func (c *cluster) readers() Readers { return Readers{Metadata: c, Live: c} }

// keys are ConfigMaps and keys in turn.
func keys(names ...string) classifierv1alpha1.DatasetSource {
	var spec classifierv1alpha1.DatasetSource
	for i := 0; i < len(names); i += 2 {
		spec.ConfigMaps = append(spec.ConfigMaps, classifierv1alpha1.ConfigMapSource{Name: names[i], Key: names[i+1]})
	}
	return spec
}

func inlined(data string) classifierv1alpha1.DatasetSource {
	return classifierv1alpha1.DatasetSource{Inline: &classifierv1alpha1.InlineSource{Data: data}}
}

func resolve(t *testing.T, readers Readers, spec classifierv1alpha1.DatasetSource) Source {
	t.Helper()
	resolved, err := Resolve(t.Context(), readers, namespace, spec)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func content(t *testing.T, source Source) string {
	t.Helper()
	data, err := read(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read reads a source to its end, with a line end after each part that lacks one.
func read(ctx context.Context, source Source) (string, error) {
	content := source.Open(ctx)
	defer content.Close()
	return readParts(content)
}

func readParts(content Content) (all string, err error) {
	for {
		_, part, err := content.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		data, err := io.ReadAll(part)
		all += string(data)
		if err != nil {
			return all, err
		}
		if len(data) > 0 && !strings.HasSuffix(all, "\n") {
			all += "\n"
		}
	}
}

func TestContent(t *testing.T) {
	binary := configMap("binary", map[string]string{"text": "of text\n"})
	binary.BinaryData = map[string][]byte{"bytes": {0xff, 0, '\n'}}
	c := newCluster(t, binary,
		configMap("one", map[string]string{"a": "a1\na2\n", "b": "b1\n", "unended": "u1\nu2", "empty": ""}),
		configMap("two", map[string]string{"a": "other a1\n"}))
	elsewhere := configMap("elsewhere", map[string]string{"a": "not ours"})
	elsewhere.Namespace = "another"
	if err := c.Create(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reason string
		spec   classifierv1alpha1.DatasetSource
		want   string
	}{
		{"the dataset's own text, with its last row ended", inlined("a1\r\na2"), "a1\r\na2\n"},
		{"an empty dataset is for validation to judge", inlined(""), ""},
		{"a key", keys("one", "a"), "a1\na2\n"},
		{"keys in the order of the spec", keys("two", "a", "one", "b", "one", "a"), "other a1\nb1\na1\na2\n"},
		{"a key as often as it is named", keys("one", "b", "one", "b"), "b1\nb1\n"},
		{"a row does not run into the next key's first", keys("one", "unended", "one", "b"), "u1\nu2\nb1\n"},
		{"also across an empty key", keys("one", "unended", "one", "empty", "one", "b"), "u1\nu2\nb1\n"},
		{"an empty key adds no empty row", keys("one", "empty", "one", "b", "one", "empty"), "b1\n"},
		{"nothing at all", keys("one", "empty"), ""},
		{"bytes that are no text", keys("binary", "bytes", "binary", "text"), "\xff\x00\nof text\n"},
	} {
		source := resolve(t, c.readers(), test.spec)
		for range 2 { // every opening starts at the start
			if got := content(t, source); got != test.want {
				t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
			}
		}
	}
}

func TestIdentity(t *testing.T) {
	samples := func() *corev1.ConfigMap { return configMap("a", map[string]string{"k": "v\n", "l": "w\n"}) }
	other := configMap("b", map[string]string{"k": "v\n"})
	edit := func(change func(*corev1.ConfigMap)) func(*testing.T, *cluster) {
		return func(t *testing.T, c *cluster) {
			object := &corev1.ConfigMap{}
			if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "a"}, object); err != nil {
				t.Fatal(err)
			}
			change(object)
			if err := c.Update(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
	}
	nothing := func(*testing.T, *cluster) {}
	for _, test := range []struct {
		reason        string
		before, after classifierv1alpha1.DatasetSource
		meanwhile     func(*testing.T, *cluster)
		same          bool
	}{
		{"the same text", inlined("a"), inlined("a"), nothing, true},
		{"another text", inlined("a"), inlined("b"), nothing, false},
		{"the same keys", keys("a", "k", "b", "k"), keys("a", "k", "b", "k"), nothing, true},
		{"another order", keys("a", "k", "b", "k"), keys("b", "k", "a", "k"), nothing, false},
		{"another key", keys("a", "k"), keys("a", "l"), nothing, false},
		{"another ConfigMap of the same content", keys("a", "k"), keys("b", "k"), nothing, false},
		{"one key more", keys("a", "k"), keys("a", "k", "a", "k"), nothing, false},
		{"names that read the same one after the other", keys("a", "ab"), keys("aa", "b"), func(t *testing.T, c *cluster) {
			if err := c.Create(t.Context(), configMap("aa", nil)); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a text that looks like a key", keys("a", "k"), inlined("ak"), nothing, false},
		{"an edited ConfigMap", keys("a", "k"), keys("a", "k"),
			edit(func(object *corev1.ConfigMap) { object.Data["k"] = "changed" }), false},
		{"a version may differ in what is not read, which costs a reading", keys("a", "k"), keys("a", "k"),
			edit(func(object *corev1.ConfigMap) { object.Labels = map[string]string{"new": ""} }), false},
		{"an edit of another ConfigMap", keys("b", "k"), keys("b", "k"),
			edit(func(object *corev1.ConfigMap) { object.Data["k"] = "changed" }), true},
		{"a ConfigMap that was deleted and created again", keys("a", "k"), keys("a", "k"), func(t *testing.T, c *cluster) {
			again := samples()
			again.UID = "another"
			if err := errors.Join(c.Delete(t.Context(), samples()), c.Create(t.Context(), again)); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		c := newCluster(t, samples(), other.DeepCopy())
		before := resolve(t, c.readers(), test.before).Identity()
		test.meanwhile(t, c)
		if got := before == resolve(t, c.readers(), test.after).Identity(); got != test.same {
			t.Errorf("%s: the same identity: %t, want %t", test.reason, got, test.same)
		}
	}
}

// TestResolveReadsNoContent and reading takes a ConfigMap once for keys that stand
// together.
func TestResolveReadsNoContent(t *testing.T) {
	c := newCluster(t, configMap("a", map[string]string{"k": "", "l": ""}), configMap("b", map[string]string{"k": ""}))
	source := resolve(t, c.readers(), keys("a", "k", "a", "l", "b", "k"))
	if len(c.reads) > 0 {
		t.Errorf("resolving read %v", c.reads)
	}
	content(t, source)
	if c.reads["a"] != 1 || c.reads["b"] != 1 {
		t.Errorf("opening read %v", c.reads)
	}
}

func TestNotFound(t *testing.T) {
	c := newCluster(t, configMap("a", map[string]string{"k": ""}), configMap("gone", map[string]string{"k": ""}))
	gone := resolve(t, c.readers(), keys("a", "k", "gone", "k"))
	if err := c.Delete(t.Context(), configMap("gone", nil)); err != nil {
		t.Fatal(err)
	}
	opening := func(source Source) error {
		_, err := read(t.Context(), source)
		return err
	}
	resolving := func(spec classifierv1alpha1.DatasetSource) error {
		_, err := Resolve(t.Context(), c.readers(), namespace, spec)
		return err
	}
	for _, test := range []struct {
		reason string
		err    error
		want   NotFoundError
		text   string
	}{
		{"the first that is missing", resolving(keys("a", "k", "x", "k", "y", "k")),
			NotFoundError{Kind: "ConfigMap", Name: "x"}, "ConfigMap x does not exist"},
		{"missing by now", opening(gone),
			NotFoundError{Kind: "ConfigMap", Name: "gone"}, "ConfigMap gone does not exist"},
		{"a key can only be found missing by reading", opening(resolve(t, c.readers(), keys("a", "k", "a", "x"))),
			NotFoundError{Kind: "ConfigMap", Name: "a", Key: "x"}, "ConfigMap a has no key x"},
	} {
		var missing *NotFoundError
		if !errors.As(test.err, &missing) || *missing != test.want || test.err.Error() != test.text {
			t.Errorf("%s: the error is %v, want %q", test.reason, test.err, test.text)
		}
	}
}

// TestChangedSinceResolved opens sources whose ConfigMap is no longer what the
// cache said.
func TestChangedSinceResolved(t *testing.T) {
	for _, test := range []struct {
		reason string
		live   func(*corev1.ConfigMap)
	}{
		{"an edit that the cache has not seen", func(object *corev1.ConfigMap) { object.ResourceVersion = "8" }},
		{"another object of the name, that happens to have the version", func(object *corev1.ConfigMap) { object.UID = "another" }},
		{"the key went with the edit: the cache will tell", func(object *corev1.ConfigMap) {
			object.ResourceVersion = "8"
			object.Data = nil
		}},
	} {
		cached := configMap("a", map[string]string{"k": "v"})
		cached.ResourceVersion = "7"
		live := cached.DeepCopy()
		test.live(live)
		source := resolve(t, Readers{Metadata: newCluster(t, cached), Live: newCluster(t, live)}, keys("a", "k"))
		if _, err := read(t.Context(), source); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: the error is %v, want %v", test.reason, err, ErrChanged)
		}
	}
}

// TestOtherErrorsPass holds that only what is known to be missing is called so.
func TestOtherErrorsPass(t *testing.T) {
	forbidden := apierrors.NewForbidden(corev1.Resource("configmaps"), "a", errors.New("no"))
	refusing := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return forbidden
		},
	}).Build()
	c := newCluster(t, configMap("a", map[string]string{"k": "v"}))
	if _, err := Resolve(t.Context(), Readers{Metadata: refusing, Live: c}, namespace, keys("a", "k")); !apierrors.IsForbidden(err) {
		t.Errorf("resolving failed with %v", err)
	}
	source := resolve(t, Readers{Metadata: c, Live: refusing}, keys("a", "k"))
	if _, err := read(t.Context(), source); !apierrors.IsForbidden(err) {
		t.Errorf("opening failed with %v", err)
	}
	if _, err := Resolve(t.Context(), c.readers(), namespace, classifierv1alpha1.DatasetSource{}); err == nil {
		t.Error("a source of no kind was resolved")
	}
}
