package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// manual is where pages are: in man1 to man8, and in folders of that kind for each language.
const manual = "/usr/share/man"

// mostPageBytes is more than but a few pages have.
const mostPageBytes = 1 << 18

// manualSections are whole pages of packages by the sections of the manual.
func manualSections(ctx context.Context, add func(text, label string)) error {
	return eachPage(ctx, func(path, _, page string) { add(plainText(page), filepath.Base(filepath.Dir(path))) })
}

// manualPackages are whole pages by the packages that they belong to.
func manualPackages(ctx context.Context, add func(text, label string)) error {
	return eachPage(ctx, func(_, owner, page string) { add(plainText(page), owner) })
}

// manualHeadings are paragraphs by the headings that they stand under.
func manualHeadings(ctx context.Context, add func(text, label string)) error {
	return eachPage(ctx, func(path, _, page string) {
		if hash(path)%4 != 0 { // there are more than are needed
			return
		}
		for part := range strings.SplitSeq(page, "\n.SH ") {
			heading, rest, _ := strings.Cut(part, "\n")
			for _, paragraph := range paragraphs(rest) {
				add(paragraph, strings.ToUpper(strings.Trim(heading, `" `)))
			}
		}
	})
}

// manualTongues are paragraphs of translated pages by their languages.
func manualTongues(ctx context.Context, add func(text, label string)) error {
	pages, err := filepath.Glob(filepath.Join(manual, "*", "man[1-8]", "*.gz"))
	if err != nil {
		return err
	}
	for _, path := range pages {
		if hash(path)%4 != 0 {
			continue
		}
		page, err := readPage(ctx, path)
		if err != nil {
			return err
		}
		tongue := filepath.Base(filepath.Dir(filepath.Dir(path)))
		for _, paragraph := range paragraphs(page) {
			add(paragraph, tongue)
		}
	}
	return nil
}

// eachPage reads the pages that packages own.
func eachPage(ctx context.Context, use func(path, owner, page string)) error {
	lists, err := filepath.Glob("/var/lib/dpkg/info/*.list")
	if err != nil {
		return err
	}
	own := regexp.MustCompile(`(?m)^` + manual + `/man[1-8]/.*\.gz$`)
	for _, list := range lists {
		files, err := os.ReadFile(list)
		if err != nil {
			return err
		}
		owner, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(list), ".list"), ":")
		for _, path := range own.FindAllString(string(files), -1) {
			page, err := readPage(ctx, path)
			if err != nil {
				return err
			}
			use(path, owner, page)
		}
	}
	return nil
}

// readPage returns nothing of a page that has been removed, and of one that is no more
// than the name of another.
func readPage(ctx context.Context, path string) (string, error) {
	compressed, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	page, err := gunzip(compressed)
	if err != nil || strings.HasPrefix(page, ".so ") {
		return "", err
	}
	return page, ctx.Err()
}

func gunzip(compressed []byte) (string, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.LimitReader(reader, mostPageBytes))
	return strings.ToValidUTF8(string(content), ""), err
}

// fewestWords keeps out what says nothing.
const fewestWords = 6

var paragraphStart = regexp.MustCompile(`(?m)^\.(?:PP|P|LP|TP|IP|HP|Pp|SS|sp)\b.*$`)

func paragraphs(page string) []string {
	var found []string
	for _, part := range paragraphStart.Split(page, -1) {
		if text := plainText(part); len(text) > 6*fewestWords {
			found = append(found, text)
		}
	}
	return found
}

// pageEscapes are what changes fonts, sizes and spaces, and special characters.
var pageEscapes = regexp.MustCompile(`\\(?:f(?:\(..|\[\w*\]|.)|\(..|\*\(..|\[\w*\]|s[+-]?\d|[^-])`)

// plainText is a page without its markup.
func plainText(page string) string {
	var text strings.Builder
	for line := range strings.Lines(page) {
		if line[0] == '.' || line[0] == '\'' {
			macro, arguments, _ := strings.Cut(strings.TrimSpace(line[1:]), " ")
			if !writtenMacros[macro] {
				continue
			}
			line = arguments + "\n"
		}
		text.WriteString(line)
	}
	return strings.ReplaceAll(pageEscapes.ReplaceAllString(text.String(), ""), `\-`, "-")
}

// writtenMacros have arguments that are a part of the text. The title of a page is not:
// it has the section.
var writtenMacros = map[string]bool{
	"B": true, "I": true, "BR": true, "RB": true, "BI": true, "IB": true, "IR": true, "RI": true, "SH": true, "SS": true, "IP": true, "SM": true, "SB": true,
	"Nm": true, "Nd": true, "Sh": true, "Ss": true, "Fl": true, "Ar": true, "Op": true, "Xr": true, "Pa": true, "It": true, "Fn": true, "Dv": true, "Va": true, "Em": true, "Li": true,
}
