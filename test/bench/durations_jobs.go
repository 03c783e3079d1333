package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// timedJob is a training whose duration is foretold and measured.
type timedJob struct {
	name            string
	rows            func(*sources) []timedRow
	hyperparameters map[string]any
	held            int // rows of a validation file
}

// timedRow is a row as files have it.
type timedRow struct {
	Text     string         `json:"text,omitempty"`
	Messages []timedMessage `json:"messages,omitempty"`
	Labels   map[string]any `json:"labels"`
}

type timedMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// newTimedJobs differ in rows, length, labels, targets and what is asked for. They come in
// an order in which no two alike follow each other.
func newTimedJobs() []timedJob {
	fast, best := map[string]any{"quality": "fast"}, map[string]any{"quality": "best"}
	banking, clinc, massive, emotions := set("banking77"), set("clinc150"), set("massive_en_mt"), set("goemotions")
	return []timedJob{
		{name: "banking77, 2500 rows", rows: some(banking, 2500)},
		{name: "clinc150, 10 rows a label", rows: some(clinc, 1500)},
		{name: "goemotions, 4000 rows", rows: some(emotions, 4000)},
		{name: "two labels, 1500 rows", rows: some(hashed(emotions, 2), 1500)},
		{name: "long texts, 20 labels", rows: some(long(hashed(clinc, 20), 40), 600)},
		{name: "massive_en_mt, two targets, 2500 rows", rows: some(massive, 2500)},
		{name: "banking77, 2500 rows, fast", rows: some(banking, 2500), hyperparameters: fast},
		{name: "conversations, 20 labels, 600 rows", rows: some(conversations(hashed(clinc, 20)), 600)},
		{name: "700 labels, 3000 rows", rows: some(split(clinc, 700), 3000)},
		{name: "banking77, 500 rows", rows: some(banking, 500)},
		{name: "goemotions, 10 000 rows, fast", rows: some(emotions, 10_000), hyperparameters: fast},
		{name: "two labels, long texts", rows: some(long(hashed(emotions, 2), 12), 800)},
		{name: "banking77, 1500 rows, best", rows: some(banking, 1500), hyperparameters: best},
		{name: "conversations, 150 labels, 1000 rows", rows: some(conversations(clinc), 1000)},
		{name: "banking77, 2000 rows and a validation file", rows: some(banking, 3000), held: 1000},
		{name: "two labels, 5000 rows", rows: some(hashed(emotions, 2), 5000)},
		{name: "clinc150, 3000 rows, fast", rows: some(clinc, 3000), hyperparameters: fast},
		{name: "two labels, very long texts", rows: some(long(hashed(emotions, 2), 120), 150)},
		{name: "five targets, 1500 rows", rows: some(targets(clinc, 5), 1500)},
		{name: "ten labels, 20 000 rows", rows: some(hashed(emotions, 10), 20_000)},
		{name: "150 labels, 5 rows each", rows: some(split(clinc, 150), 750)},
		{name: "massive_en, 1000 rows, 1000 steps", rows: some(set("massive_en"), 1000), hyperparameters: map[string]any{"training_steps": 1000}},
		{name: "two labels, 12 000 long texts", rows: some(long(hashed(emotions, 2), 12), 12_000)},
		{name: "banking77, 1000 rows, 100 epochs", rows: some(banking, 1000), hyperparameters: map[string]any{"epochs": 100}},
		{name: "banking77", rows: banking},
		{name: "goemotions", rows: emotions},
	}
}

// sources are the train files of the folder of data sets, read when they are needed.
type sources struct {
	folder string
	err    error
}

func set(name string) func(*sources) []timedRow {
	return func(s *sources) (rows []timedRow) {
		err := readSamples(filepath.Join(s.folder, name, "train.jsonl"), func(sample *dataset.Sample) bool {
			row := timedRow{Text: strings.Clone(sample.Text), Labels: map[string]any{}}
			for _, labels := range sample.Labels {
				var names []string
				for _, label := range labels.Labels {
					names = append(names, strings.Clone(label))
				}
				if row.Labels[strings.Clone(labels.Target)] = names; !labels.Multi {
					row.Labels[strings.Clone(labels.Target)] = names[0]
				}
			}
			rows = append(rows, row)
			return true
		})
		if err != nil && s.err == nil {
			s.err = err
		}
		return rows
	}
}

// some takes so many rows, or those that there are.
func some(of func(*sources) []timedRow, count int) func(*sources) []timedRow {
	return func(s *sources) []timedRow {
		rows := of(s)
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		return rows[:min(count, len(rows))]
	}
}

// hashed has other labels, so many, each of which stands for several of before.
func hashed(of func(*sources) []timedRow, labels int) func(*sources) []timedRow {
	return relabelled(of, func(row timedRow) map[string]any {
		return map[string]any{"group": fmt.Sprintf("group %d", number(first(row))%labels)}
	})
}

// split has about so many labels, by the label of before and the text's first word.
func split(of func(*sources) []timedRow, labels int) func(*sources) []timedRow {
	return relabelled(of, func(row timedRow) map[string]any {
		word, _, _ := strings.Cut(row.Text, " ")
		return map[string]any{"kind": fmt.Sprintf("kind %d", number(first(row)+" "+word)%labels)}
	})
}

// targets are so many, each a grouping of the labels of before.
func targets(of func(*sources) []timedRow, count int) func(*sources) []timedRow {
	return relabelled(of, func(row timedRow) map[string]any {
		labels := map[string]any{}
		for target := range count {
			labels[fmt.Sprintf("target %d", target)] = fmt.Sprintf("group %d", number(first(row)+fmt.Sprint(target))%10)
		}
		return labels
	})
}

func relabelled(of func(*sources) []timedRow, labels func(timedRow) map[string]any) func(*sources) []timedRow {
	return func(s *sources) []timedRow {
		rows := of(s)
		for i, row := range rows {
			rows[i].Labels = labels(row)
		}
		return rows
	}
}

// long has so many texts of the same label in a row's.
func long(of func(*sources) []timedRow, texts int) func(*sources) []timedRow {
	return func(s *sources) []timedRow {
		rows, byLabel := of(s), map[string][]string{}
		for _, row := range rows {
			byLabel[first(row)] = append(byLabel[first(row)], row.Text)
		}
		random := rand.New(rand.NewPCG(2, 2))
		for i := range rows {
			same, joined := byLabel[first(rows[i])], []string{rows[i].Text}
			for range texts - 1 {
				joined = append(joined, same[random.IntN(len(same))])
			}
			rows[i].Text = strings.Join(joined, " ")
		}
		return rows
	}
}

// conversations tell the label in what the user says at last, after other things were said.
func conversations(of func(*sources) []timedRow) func(*sources) []timedRow {
	return func(s *sources) []timedRow {
		rows := of(s)
		random := rand.New(rand.NewPCG(3, 3))
		texts := make([]string, len(rows))
		for i, row := range rows {
			texts[i] = row.Text
		}
		for i := range rows {
			said := func(role string) timedMessage { return timedMessage{role, texts[random.IntN(len(texts))]} }
			rows[i] = timedRow{Labels: rows[i].Labels, Messages: []timedMessage{
				said("user"), said("assistant"), said("user"), said("assistant"), {"user", texts[i]}, {"assistant", "Thanks, I will see to it."}}}
		}
		return rows
	}
}

func first(row timedRow) string {
	for _, labels := range row.Labels {
		if names, many := labels.([]string); many {
			return strings.Join(names[:min(1, len(names))], "")
		}
		return labels.(string)
	}
	return ""
}

func number(label string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(label))
	return int(h.Sum32() >> 1)
}

// files are those of the job, the validation file empty if there is none.
func (j timedJob) files(s *sources) (train, valid []byte, err error) {
	rows := j.rows(s)
	if s.err != nil {
		return nil, nil, s.err
	}
	train, err = encodeRows(rows[j.held:])
	if err == nil {
		valid, err = encodeRows(rows[:j.held])
	}
	return train, valid, err
}

func encodeRows(rows []timedRow) ([]byte, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	for _, row := range rows {
		if err := encoder.Encode(row); err != nil {
			return nil, err
		}
	}
	return encoded.Bytes(), nil
}
