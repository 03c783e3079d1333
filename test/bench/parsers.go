package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"os/exec"
	"syscall"
	"unicode/utf8"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/minio/simdjson-go"
	"github.com/valyala/fastjson"
)

// parse writes the texts and the labels of the rows, in their order, to extracted.
type parse func(rows []byte, extracted *maphash.Hash) error

// baseline is the index of encoding/json, to which the ratios are.
const baseline = 2

// newParsers are ours and their peers. Without parse are those that this machine lacks.
func newParsers(ctx context.Context) []*parser {
	return []*parser{
		{name: "dataset.Validate", parse: validate(ctx), countsOnly: true, checks: "syntax, UTF-8, repeated names, schema; counts labels; SHA-256"},
		{name: "dataset.Reader and Census", parse: readAndCount, checks: "syntax, UTF-8, repeated names, schema; counts labels"},
		{name: "encoding/json and utf8.Valid", parse: unmarshal, checks: "syntax, UTF-8, types"},
		{name: "jsontext", parse: readTokens, checks: "syntax, UTF-8, repeated names"},
		{name: "fastjson and utf8.Valid", parse: parseFast(), checks: "most of the syntax, UTF-8"},
		{name: "simdjson-go", parse: parseSIMD(), checks: "syntax"},
		{name: "jq", parse: runJQ(ctx), usage: syscall.RUSAGE_CHILDREN, checks: "syntax"},
	}
}

func validate(ctx context.Context) parse {
	return func(rows []byte, _ *maphash.Hash) error {
		report, err := dataset.Validate(ctx, bytes.NewReader(rows), dataset.DefaultLimits())
		if err == nil && !report.Valid() {
			err = errors.New("the rows are found invalid")
		}
		return err
	}
}

func readAndCount(rows []byte, extracted *maphash.Hash) error {
	reader, census := dataset.NewReader(bytes.NewReader(rows), dataset.DefaultLimits()), dataset.NewCensus(dataset.DefaultLimits())
	var sample dataset.Sample
	for {
		if err := reader.Read(&sample); errors.Is(err, io.EOF) {
			return census.Check()
		} else if err != nil {
			return err
		}
		if err := census.Add(&sample); err != nil {
			return err
		}
		extracted.WriteString(sample.Text)
		for _, message := range sample.Messages {
			extracted.WriteString(message.Content)
		}
		for _, target := range sample.Labels {
			for _, label := range target.Labels {
				extracted.WriteString(label)
			}
		}
	}
}

func unmarshal(rows []byte, extracted *maphash.Hash) error {
	for line := range bytes.Lines(rows) {
		var row struct {
			Text     string `json:"text"`
			Messages []struct {
				Role    string `json:"role"`
				Content string `json:"content"`
			} `json:"messages"`
			Labels map[string]any `json:"labels"`
		}
		if !utf8.Valid(line) { // which would be replaced
			return errors.New("a row is not UTF-8")
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		extracted.WriteString(row.Text)
		for _, message := range row.Messages {
			extracted.WriteString(message.Content)
		}
		for _, target := range []string{"intent", "topics"} { // a map has no order
			switch labels := row.Labels[target].(type) {
			case string:
				extracted.WriteString(labels)
			case []any:
				for _, label := range labels {
					extracted.WriteString(label.(string))
				}
			}
		}
	}
	return nil
}

// readTokens takes every string but names and roles for a text or a label, and so
// do those below: the rows have no others.
func readTokens(rows []byte, extracted *maphash.Hash) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(rows))
	var unquoted []byte
	isRole := false
	for {
		if decoder.PeekKind() != '"' {
			if _, err := decoder.ReadToken(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			continue
		}
		quoted, err := decoder.ReadValue() // a token's string would be allocated
		if err == nil {
			unquoted, err = jsontext.AppendUnquote(unquoted[:0], quoted)
		}
		if err != nil {
			return err
		}
		if parent, length := decoder.StackIndex(decoder.StackDepth()); parent == '{' && length%2 == 1 {
			isRole = string(unquoted) == "role"
		} else if !isRole {
			extracted.Write(unquoted)
		}
	}
}

func parseFast() parse {
	var parser fastjson.Parser // its memory is used again
	return func(rows []byte, extracted *maphash.Hash) error {
		for line := range bytes.Lines(rows) {
			row, err := parser.ParseBytes(line)
			if err != nil {
				return err
			}
			if !utf8.Valid(line) {
				return errors.New("a row is not UTF-8")
			}
			extractFast(row, extracted)
		}
		return nil
	}
}

func extractFast(value *fastjson.Value, extracted *maphash.Hash) {
	extracted.Write(value.GetStringBytes())
	for _, element := range value.GetArray() {
		extractFast(element, extracted)
	}
	if object := value.GetObject(); object != nil {
		object.Visit(func(name []byte, field *fastjson.Value) {
			if string(name) != "role" {
				extractFast(field, extracted)
			}
		})
	}
}

func parseSIMD() parse {
	if !simdjson.SupportedCPU() {
		return nil
	}
	var parsed *simdjson.ParsedJson // its memory is used again
	return func(rows []byte, extracted *maphash.Hash) (err error) {
		for len(rows) > 0 {
			block := rows[:min(len(rows), 1<<20)] // as much as caches hold
			block = block[:bytes.LastIndexByte(block, '\n')+1]
			rows = rows[len(block):]
			if parsed, err = simdjson.ParseND(block, parsed, simdjson.WithCopyStrings(false)); err != nil {
				return err
			}
			if err = parsed.ForEach(func(row simdjson.Iter) error { return extractSIMD(row, extracted) }); err != nil {
				return err
			}
		}
		return nil
	}
}

func extractSIMD(value simdjson.Iter, extracted *maphash.Hash) (err error) {
	var array simdjson.Array
	var object simdjson.Object
	switch value.Type() {
	case simdjson.TypeString:
		text, err := value.StringBytes()
		extracted.Write(text)
		return err
	case simdjson.TypeArray:
		if _, err = value.Array(&array); err == nil {
			array.ForEach(func(element simdjson.Iter) { err = errors.Join(err, extractSIMD(element, extracted)) })
		}
	case simdjson.TypeObject:
		if _, err = value.Object(&object); err == nil {
			err = object.ForEach(func(name []byte, field simdjson.Iter) {
				if string(name) != "role" {
					err = errors.Join(err, extractSIMD(field, extracted))
				}
			}, nil)
		}
	}
	return err
}

func runJQ(ctx context.Context) parse {
	path, err := exec.LookPath("jq")
	if err != nil {
		return nil
	}
	return func(rows []byte, extracted *maphash.Hash) error {
		command := exec.CommandContext(ctx, path, "-j", `.text // .messages[].content, (.labels[] | if type == "array" then .[] else . end)`)
		command.Stdin, command.Stdout = bytes.NewReader(rows), extracted
		return command.Run()
	}
}
