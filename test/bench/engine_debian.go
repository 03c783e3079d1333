package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// debianSet is a data set made of what a Debian system has of itself: the lists of its
// archive, and the files of its packages. Two systems seldom have the same.
type debianSet struct {
	name   string
	rows   func(ctx context.Context, add func(text, label string)) error
	fewest int // texts of a label, below which it is left out
	most   int // texts of a label
}

// mostTexts bounds the time that the peers take.
const mostTexts = 15_000

func newDebianSets() []debianSet {
	return []debianSet{
		{"synopses-sections", synopses(section), 50, 600},
		{"synopses-maintainers", synopses(field("Maintainer")), 5, 30},
		{"descriptions-roles", descriptions(tag("role::")), 100, 2000},
		{"descriptions-languages", descriptions(tag("implemented-in::")), 100, 2000},
		{"pages-sections", manualSections, 30, 400},
		{"pages-packages", manualPackages, 20, 60},
		{"paragraphs-headings", manualHeadings, 200, 1500},
		{"paragraphs-tongues", manualTongues, 100, 300},
		{"changes-urgencies", changeUrgencies, 200, 3000},
		{"changes-authors", changeAuthors, 50, 200},
	}
}

// read divides the texts by their hashes: the same texts are divided in the same way.
func (d debianSet) read(ctx context.Context) (*labelledTexts, error) {
	labels := map[string]string{}
	if _, err := exec.LookPath("dpkg"); err != nil {
		return &labelledTexts{}, nil
	}
	err := d.rows(ctx, func(text, label string) {
		text = strings.Join(strings.Fields(text), " ")
		if _, known := labels[text]; !known && text != "" && label != "" {
			labels[text] = label
		}
	})
	if err != nil {
		return nil, err
	}
	set := &labelledTexts{}
	chosen := d.choose(labels)
	for _, text := range chosen[:min(len(chosen), mostTexts)] {
		label := labels[text]
		switch hash(text+label) % 10 { // not by what the order is by
		case 0:
			set.test = append(set.test, labelledText{text, set.indices([]string{label}, false)})
		case 1:
			set.valid = append(set.valid, labelledText{text, set.indices([]string{label}, false)})
		default:
			set.train = append(set.train, labelledText{text, set.indices([]string{label}, true)})
		}
	}
	return set, nil
}

// choose returns texts in the order of their hashes.
func (d debianSet) choose(labels map[string]string) []string {
	byHash := slices.SortedFunc(maps.Keys(labels), func(a, b string) int {
		return cmp.Or(cmp.Compare(hash(a), hash(b)), strings.Compare(a, b))
	})
	counts := map[string]int{}
	for _, label := range labels {
		counts[label]++
	}
	taken := map[string]int{}
	return slices.DeleteFunc(byHash, func(text string) bool {
		label := labels[text]
		taken[label]++
		return counts[label] < d.fewest || taken[label] > d.most
	})
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	// The bits of short texts are mixed well enough after another multiplication.
	return h.Sum64() * 0x9e3779b97f4a7c15 >> 16
}

// paragraph is one of Debian's control files: what it says of a package.
type paragraph map[string]string

func section(p paragraph) string {
	_, name, found := strings.Cut(p["Section"], "/")
	if !found {
		return p["Section"]
	}
	return name
}

func field(name string) func(paragraph) string {
	return func(p paragraph) string { return p[name] }
}

// tag is the only one of a facet that a package has.
func tag(facet string) func(paragraph) string {
	return func(p paragraph) string {
		found := ""
		for name := range strings.SplitSeq(p["Tag"], ", ") {
			if strings.HasPrefix(name, facet) {
				if found != "" {
					return ""
				}
				found = name
			}
		}
		return found
	}
}

// synopses are the first lines of descriptions.
func synopses(label func(paragraph) string) func(context.Context, func(text, label string)) error {
	return func(ctx context.Context, add func(text, label string)) error {
		return readParagraphs(ctx, func(p paragraph) {
			synopsis, _, _ := strings.Cut(p["Description"], "\n")
			add(synopsis, label(p))
		}, "apt-cache", "dumpavail")
	}
}

// descriptions are whole where the lists have translations to English, as they have by
// default.
func descriptions(label func(paragraph) string) func(context.Context, func(text, label string)) error {
	return func(ctx context.Context, add func(text, label string)) error {
		whole, err := translations(ctx)
		if err != nil {
			return err
		}
		return readParagraphs(ctx, func(p paragraph) {
			add(cmp.Or(whole[p["Description-md5"]], p["Description"]), label(p))
		}, "apt-cache", "dumpavail")
	}
}

// translations are descriptions by their digests.
func translations(ctx context.Context) (map[string]string, error) {
	files, _, err := runProgram(ctx, "apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Translations", "Language: en")
	if err != nil || len(files) == 0 {
		return nil, err
	}
	byDigest := map[string]string{}
	err = readParagraphs(ctx, func(p paragraph) {
		byDigest[p["Description-md5"]] = p["Description-en"]
	}, "/usr/lib/apt/apt-helper", append([]string{"cat-file"}, strings.Fields(string(files))...)...)
	return byDigest, err
}

// readParagraphs reads those that a program prints. One is valid until the next.
func readParagraphs(ctx context.Context, use func(paragraph), name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	p, last := paragraph{}, ""
	for lines.Scan() {
		line := lines.Text()
		switch name, value, found := strings.Cut(line, ": "); {
		case line == "":
			use(p)
			clear(p)
		case line[0] == ' ':
			p[last] += "\n" + strings.TrimSpace(line)
		case found:
			last, p[name] = name, value
		default:
			last = strings.TrimSuffix(line, ":")
		}
	}
	if len(p) > 0 {
		use(p)
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return lines.Err()
}
