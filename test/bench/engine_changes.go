package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
)

// changeEntry is what a changelog says of a version: how urgent it is, what has changed,
// and by whom.
var changeEntry = regexp.MustCompile(`(?m)^\S+ \(.*; urgency=(\w+).*\n((?:[ \t].*\n|\n)*?) -- ([^<\n]*) <`)

func changeUrgencies(ctx context.Context, add func(text, label string)) error {
	return eachChange(ctx, func(urgency, change, _ string) { add(change, urgency) })
}

func changeAuthors(ctx context.Context, add func(text, label string)) error {
	return eachChange(ctx, func(_, change, author string) { add(change, author) })
}

func eachChange(ctx context.Context, use func(urgency, change, author string)) error {
	paths, err := filepath.Glob("/usr/share/doc/*/changelog.Debian.gz")
	if err != nil {
		return err
	}
	for _, path := range paths {
		compressed, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changelog, err := gunzip(compressed)
		if err != nil {
			return err
		}
		for _, entry := range changeEntry.FindAllStringSubmatch(changelog, -1) {
			use(entry[1], entry[2], entry[3])
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
