package factory

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// train makes a model of the rows.
func (s *server) train(name, content string) string {
	s.t.Helper()
	return *s.await(s.create(autoStart, s.upload(name, content)).ID, mistral.JobSuccess).FineTunedModel
}

// tickets are conversations with two targets, one of them multi-label.
func tickets(rows int) string {
	var text strings.Builder
	for i := range rows {
		if i%2 == 0 {
			fmt.Fprintf(&text, `{"messages": [{"role": "user", "content": "my parcel %d is lost"}, {"role": "assistant", "content": "sorry"}], "labels": {"topic": "shipping", "tags": ["urgent", "parcel"]}}`+"\n", i)
		} else {
			fmt.Fprintf(&text, `{"messages": [{"role": "user", "content": "refund order %d please"}, {"role": "assistant", "content": "sorry"}], "labels": {"topic": "refund", "tags": ["money"]}}`+"\n", i)
		}
	}
	return text.String()
}

// best is the label with the highest score. It checks that they sum to one.
func best(t *testing.T, scores mistral.Scores) string {
	t.Helper()
	sum, label, highest := 0.0, "", 0.0
	for _, score := range scores {
		sum += score.Score
		if score.Score > highest {
			label, highest = score.Label, score.Score
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("scores sum to %v", sum)
	}
	return label
}

func TestClassifyTexts(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("intents.jsonl", intents(60))
	client := s.client("alice-key")

	answer, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: model, Input: []string{"the lamp please", "another song", "the lamp please"}})
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, result := range answer.Results {
		labels = append(labels, best(t, result["intent"].Scores))
	}
	if got := strings.Join(labels, " "); got != "light music light" {
		t.Errorf("labels %q", got)
	}
	if answer.Model != model || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(answer.ID) {
		t.Errorf("model %q, ID %q", answer.Model, answer.ID)
	}

	status, body := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "the lamp", "metadata": {"trace": 1}}`)
	if status != 200 || !strings.Contains(body, `"results":[{"intent":{"scores":{"light":`) {
		t.Errorf("one text: %d %s; want a list of one", status, body)
	}
	status, body = s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": []}`)
	if status != 422 || !strings.Contains(body, `"type":"too_short","loc":["body","input"]`) {
		t.Errorf("no text: %d %s", status, body)
	}
}

func TestClassifyChats(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("tickets.jsonl", tickets(60))
	// As the SDKs send it: chunks, null content, and members of their own.
	status, body := s.request("POST", "/v1/chat/classifications", `{"model": "`+model+`", "input": [
		{"messages": [{"role": "user", "content": [{"type": "text", "text": "my parcel is lost"}]}, {"role": "assistant", "content": "sorry", "prefix": false}]},
		{"messages": [{"role": "user", "content": "refund please"}, {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}}]},
			{"role": "tool", "content": [], "tool_call_id": "a", "name": "f"}, {"role": "assistant", "content": null, "tool_calls": []}, {"role": "user", "content": [{"text": "money"}, {"type": "text", "text": "", "cache_control": {}}]}]}]}`)
	var answer mistral.ClassifyResponse
	decode(t, body, &answer)
	if status != 200 || len(answer.Results) != 2 {
		t.Fatalf("%d %s", status, body)
	}
	if got := best(t, answer.Results[0]["topic"].Scores); got != "shipping" {
		t.Errorf("topic %q", got)
	}
	if got := best(t, answer.Results[1]["tags"].Scores); got != "money" {
		t.Errorf("tags %q", got)
	}
	if tags := answer.Results[0]["tags"].Scores; len(tags) != 3 || tags[0].Label != "money" || tags[1].Label != "parcel" || tags[2].Label != "urgent" {
		t.Errorf("tags %+v; want every label in the target's order", tags)
	}
}

// independentAnswer is what "scores": "independent" gives beside the protocol's.
type independentAnswer struct {
	Results []map[string]struct {
		Scores     map[string]float64
		Thresholds map[string]float64
		Labels     []string
	}
}

func TestInScope(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("tickets.jsonl", tickets(200))
	for _, test := range []struct {
		reason, path, input string
		scores              string
		caught              bool
	}{
		{"a text that is like those it was trained on", "/v1/classifications", `"refund order 3 please"`, "", false},
		{"another", "/v1/classifications", `"zzz"`, "", true},
		{"a conversation", "/v1/chat/classifications", `{"messages": [{"role": "user", "content": "zzz"}]}`, "", true},
		{"with independent scores, too", "/v1/classifications", `"zzz"`, `"scores": "independent",`, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var answer struct {
				Results []map[string]struct {
					InScope *float64 `json:"in_scope"`
				}
			}
			status, body := s.request("POST", test.path, `{"model": "`+model+`", "in_scope": true, `+test.scores+` "input": `+test.input+`}`)
			decode(t, body, &answer)
			if status != 200 || len(answer.Results) != 1 {
				t.Fatalf("%d %s", status, body)
			}
			for target, result := range answer.Results[0] {
				if result.InScope == nil || (*result.InScope < 0.05) != test.caught {
					t.Errorf("%s: %s; whether it is below 0.05 should be %v", target, body, test.caught)
				}
			}
		})
	}
	_, body := s.request("POST", "/v1/classifications", `{"model": "`+model+`", "input": "zzz"}`)
	if strings.Contains(body, "in_scope") {
		t.Errorf("nobody asked: %s", body)
	}
}

func TestIndependentScores(t *testing.T) {
	s := startServer(t, nil)
	model := s.train("tickets.jsonl", tickets(200))
	const inputs = `"input": [
		{"messages": [{"role": "user", "content": "my parcel is lost"}, {"role": "assistant", "content": "sorry"}]},
		{"messages": [{"role": "user", "content": "refund order 3 please"}, {"role": "assistant", "content": "sorry"}]}]`
	var answer independentAnswer
	status, body := s.request("POST", "/v1/chat/classifications", `{"model": "`+model+`", "scores": "independent", `+inputs+`}`)
	decode(t, body, &answer)
	if status != 200 || len(answer.Results) != 2 {
		t.Fatalf("%d %s", status, body)
	}
	for i, want := range []struct {
		topic string
		tags  []string
	}{{"shipping", []string{"parcel", "urgent"}}, {"refund", []string{"money"}}} {
		topic, tags := answer.Results[i]["topic"], answer.Results[i]["tags"]
		if !slices.Equal(topic.Labels, []string{want.topic}) || len(topic.Thresholds) != 0 || math.Abs(topic.Scores["shipping"]+topic.Scores["refund"]-1) > 1e-6 {
			t.Errorf("topic %+v; want %s alone, without thresholds and with scores that sum to 1", topic, want.topic)
		}
		if !slices.Equal(tags.Labels, want.tags) || len(tags.Thresholds) != 3 || len(tags.Scores) != 3 {
			t.Errorf("tags %+v; want %v", tags, want.tags)
		}
		for label, score := range tags.Scores {
			if applies := slices.Contains(want.tags, label); applies != (score > tags.Thresholds[label]) || applies != (score > .5) {
				t.Errorf("%s has %v with a threshold of %v; whether it applies: %v", label, score, tags.Thresholds[label], applies)
			}
		}
	}
	// The protocol's answer, said or not, is as ever.
	for _, member := range []string{``, `"scores": "normalized", `} {
		status, body := s.request("POST", "/v1/chat/classifications", `{"model": "`+model+`", `+member+inputs+`}`)
		if status != 200 || strings.Contains(body, "labels") || strings.Contains(body, "thresholds") {
			t.Errorf("%s: %d %s", member, status, body)
		}
	}
}

func TestClassifyTheOtherWay(t *testing.T) {
	s := startServer(t, nil)
	texts, chats := s.train("intents.jsonl", intents(60)), s.train("tickets.jsonl", tickets(60))
	client := s.client("alice-key")

	text, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: chats, Input: []string{"refund please"}})
	if err != nil || best(t, text.Results[0]["topic"].Scores) != "refund" {
		t.Errorf("a text by a model of conversations: %+v, %v", text, err)
	}
	chat, err := client.ClassifyChat(t.Context(), mistral.ClassifyChatRequest{Model: texts, Input: []mistral.Chat{{Messages: []mistral.Message{{Role: "user", Content: "the lamp please"}}}}})
	if err != nil || best(t, chat.Results[0]["intent"].Scores) != "light" {
		t.Errorf("a conversation by a model of texts: %+v, %v", chat, err)
	}
	same, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: texts, Input: []string{"the lamp please"}})
	if err != nil || fmt.Sprint(same.Results) != fmt.Sprint(chat.Results) {
		t.Errorf("a text and a conversation of it alone differ: %+v, %+v, %v", same, chat, err)
	}
}

func TestClassifyRefuses(t *testing.T) {
	s := startServer(t, nil)
	for _, test := range []struct {
		reason, path, body string
		status             int
		want               string
	}{
		{"extra member", "classifications", `{"model": "m", "input": "x", "inputs": "x"}`, 422, `{"detail":[{"type":"extra_forbidden","loc":["body","inputs"],"msg":"Extra inputs are not permitted"}]}`},
		{"extra member of a chat request", "chat/classifications", `{"model": "m", "input": {"messages": []}, "metadata": {}}`, 422, `"loc":["body","metadata"]`},
		{"extra member of a conversation", "chat/classifications", `{"model": "m", "input": [{"messages": [], "prompt": "x"}]}`, 422, `"loc":["body","input",0,"prompt"]`},
		{"no model", "classifications", `{"input": "x"}`, 422, `"type":"missing","loc":["body","model"]`},
		{"no input", "classifications", `{"model": "m", "input": null}`, 422, `"type":"missing","loc":["body","input"]`},
		{"input of another type", "classifications", `{"model": "m", "input": ["a", 1]}`, 422, `"type":"string_type","loc":["body","input",1]`},
		{"a text that is null", "classifications", `{"model": "m", "input": ["a", null]}`, 422, `"type":"string_type","loc":["body","input",1]`},
		{"no text", "classifications", `{"model": "m", "input": {"text": "a"}}`, 422, `"type":"string_type","loc":["body","input"]`},
		{"no messages", "chat/classifications", `{"model": "m", "input": [{}]}`, 422, `"type":"missing","loc":["body","input",0,"messages"]`},
		{"no message", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "user", "content": "x"}]}, {"messages": []}]}`, 422, `"type":"too_short","loc":["body","input",1,"messages"]`},
		{"no messages in the only conversation", "chat/classifications", `{"model": "m", "input": {"messages": null}}`, 422, `"type":"missing","loc":["body","input","messages"]`},
		{"no message in the only conversation", "chat/classifications", `{"model": "m", "input": {"messages": []}}`, 422, `"type":"too_short","loc":["body","input","messages"]`},
		{"no conversation", "chat/classifications", `{"model": "m", "input": []}`, 422, `"type":"too_short","loc":["body","input"]`},
		{"no text in a list", "classifications", `{"model": "m", "input": []}`, 422, `"type":"too_short","loc":["body","input"]`},
		{"inputs, as SDKs call their argument", "classifications", `{"model": "m", "inputs": []}`, 422, `"type":"extra_forbidden","loc":["body","inputs"]`},
		{"so for conversations", "chat/classifications", `{"model": "m", "inputs": [{"messages": []}]}`, 422, `"type":"extra_forbidden","loc":["body","inputs"]`},
		{"unknown role in the only conversation", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": "x"}, {"role": "robot", "content": "x"}]}}`, 422, `"loc":["body","input","messages",1,"role"]`},
		{"a message without content", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "user"}]}]}`, 422, `"type":"missing","loc":["body","input",0,"messages",0,"content"]`},
		{"a system message that is null", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "system", "content": null}]}]}`, 422, `"type":"string_type","loc":["body","input",0,"messages",0,"content"]`},
		{"content of another type", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "user", "content": 1}]}]}`, 422, `"type":"string_type","loc":["body","input",0,"messages",0,"content"]`},
		{"an extra member of a message", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "user", "content": "x", "images": ["x"]}]}]}`, 422, `"type":"extra_forbidden","loc":["body","input",0,"messages",0,"images"]`},
		{"an image", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": "https://example.com"}]}]}]}`, 422, `"loc":["body","input",0,"messages",0,"content",1,"type"],"msg":"Value error, Input should be text`},
		{"an image in the only conversation", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}}`, 422, `"loc":["body","input","messages",0,"content",0,"type"]`},
		{"an image that says so last", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": [{"text": "x", "type": "image_url"}]}]}}`, 422, `"loc":["body","input","messages",0,"content",0,"type"]`},
		{"a document", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "tool", "content": [{"type": "document_url", "document_url": "x"}]}]}}`, 422, `"loc":["body","input","messages",0,"content",0,"type"]`},
		{"what was thought", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": []}]}]}}`, 422, `"loc":["body","input","messages",0,"content",0,"type"]`},
		{"sound", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": "x"}]}]}}`, 422, `"loc":["body","input","messages",0,"content",0,"type"]`},
		{"an image without a type", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": [{"image_url": "x"}]}]}}`, 422, `"type":"missing","loc":["body","input","messages",0,"content",0,"text"]`},
		{"a part without text", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": [{"type": "text"}]}]}}`, 422, `"type":"missing","loc":["body","input","messages",0,"content",0,"text"]`},
		{"a part that is no object", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": ["x"]}]}}`, 422, `"type":"dict_type","loc":["body","input","messages",0,"content",0]`},
		{"a type that is no string", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": [{"type": 1}]}]}}`, 422, `"type":"string_type","loc":["body","input","messages",0,"content",0,"type"]`},
		{"unknown role", "chat/classifications", `{"model": "m", "input": [{"messages": [{"role": "robot", "content": "x"}]}]}`, 422, `"loc":["body","input",0,"messages",0,"role"]`},
		{"scores of a third kind", "classifications", `{"model": "m", "input": "x", "scores": "logits"}`, 422, `"loc":["body","scores"]`},
		{"so for conversations", "chat/classifications", `{"model": "m", "input": {"messages": [{"role": "user", "content": "x"}]}, "scores": "logits"}`, 422, `"loc":["body","scores"]`},
		{"no JSON", "classifications", `{"model": `, 422, `"type":"json_invalid"`},
		{"not an object", "classifications", `[]`, 422, `"type":"dict_type","loc":["body"]`},
		{"base model", "classifications", `{"model": "ministral-3b-latest", "input": "x"}`, 422, `"loc":["body","model"]`},
		{"unknown model", "classifications", `{"model": "ft:classifier:none", "input": "x"}`, 400, `{"object":"error","message":"Invalid model: ft:classifier:none","type":"invalid_model","param":null,"code":"1500"}`},
		{"so for conversations", "chat/classifications", `{"model": "none", "input": {"messages": [{"role": "user", "content": "x"}]}}`, 400, `{"object":"error","message":"Invalid model: none","type":"invalid_model","param":null,"code":"1500"}`},
		{"an unknown model of a long name", "classifications", `{"model": "` + strings.Repeat("é", 1000) + `", "input": "x"}`, 400, `"message":"Invalid model: ` + strings.Repeat("é", 128) + `",`},
		{"too large", "classifications", `{"model": "m", "input": "` + strings.Repeat("x", (32<<20)) + `"}`, http.StatusRequestEntityTooLarge, `{"detail":`},
	} {
		status, body := s.request("POST", "/v1/"+test.path, test.body)
		if status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.reason, status, body, test.status, test.want)
		}
	}
}
