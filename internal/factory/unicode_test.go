package factory

import (
	"strings"
	"testing"
)

// TestHalfASurrogate is what languages leave that cut a text in the midst of an emoji. The
// answer says in which of many inputs it is.
func TestHalfASurrogate(t *testing.T) {
	s := startServer(t, nil)
	const texts, chats, jobs = "/v1/classifications", "/v1/chat/classifications", "/v1/fine_tuning/jobs"
	for _, test := range []struct{ reason, path, body, location string }{
		{"among texts", texts, `{"model": "m", "input": ["a", "b", "cut \ud83d", "d"]}`, `"input",2`},
		{"as the first", texts, `{"model": "m", "input": ["\ud83d", "b"]}`, `"input",0`},
		{"the only text", texts, `{"model": "m", "input": "cut \ud83d"}`, `"input"`},
		{"the other half", texts, `{"model": "m", "input": ["a", "\ude00 cut"]}`, `"input",1`},
		{"before another escape sequence", texts, `{"model": "m", "input": ["a", "\ud83d\n"]}`, `"input",1`},
		{"before what is no half", texts, `{"model": "m", "input": ["a", "\ud83d\u0041"]}`, `"input",1`},
		{"two first halves", texts, `{"model": "m", "input": ["a", "\ud83d\ud83d"]}`, `"input",1`},
		{"as bytes", texts, "{\"model\": \"m\", \"input\": [\"a\", \"\xed\xa0\xbd\"]}", `"input",1`},
		{"Latin-1", texts, "{\"model\": \"m\", \"input\": [\"a\", \"caf\xe9\"]}", `"input",1`},
		{"after many others", texts, `{"model": "m", "input": [` + strings.Repeat(`"some text of many", `, 20_000) + `"\ud83d"]}`, `"input",20000`},
		{"in the model's ID", texts, `{"model": "\ud83d", "input": "a"}`, `"model"`},
		{"in metadata", texts, `{"model": "m", "input": "a", "metadata": {"trace": ["x", "\ud83d"]}}`, `"metadata","trace",1`},
		{"in a name of metadata", texts, `{"model": "m", "input": "a", "metadata": {"trace": {"\ud83d": 1}}}`, `"metadata","trace"`},
		{"in a name of the request", texts, `{"model": "m", "input": "a", "\ud83d": 1}`, ``},
		{"in a message", chats, `{"model": "m", "input": [{"messages": [{"role": "user", "content": "a"}]}, {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "\ud83d"}]}]}`, `"input",1,"messages",1,"content"`},
		{"in the only conversation", chats, `{"model": "m", "input": {"messages": [{"role": "user", "content": "\ud83d"}]}}`, `"input","messages",0,"content"`},
		{"in a part of a message", chats, `{"model": "m", "input": [{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "\ud83d"}]}]}]}`, `"input",0,"messages",0,"content",1,"text"`},
		{"in a part's member", chats, `{"model": "m", "input": [{"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "more": "\ud83d"}]}]}]}`, `"input",0,"messages",0,"content",0,"more"`},
		{"in a tool's call", chats, `{"model": "m", "input": [{"messages": [{"role": "assistant", "tool_calls": [{"id": "\ud83d"}]}]}]}`, `"input",0,"messages",0,"tool_calls",0,"id"`},
		{"in a role", chats, `{"model": "m", "input": [{"messages": [{"role": "\ud83d", "content": "a"}]}]}`, `"input",0,"messages",0,"role"`},
		{"in a job's suffix", jobs, `{"model": "m", "suffix": "\ud83d"}`, `"suffix"`},
		{"in a file's ID", jobs, `{"model": "m", "training_files": ["a", {"file_id": "\ud83d"}]}`, `"training_files",1,"file_id"`},
		{"in a plain ID", jobs, `{"model": "m", "training_files": ["a", "\ud83d"]}`, `"training_files",1`},
		{"in a label", jobs, `{"model": "m", "classifier_targets": [{"name": "n", "labels": ["a", "\ud83d"]}]}`, `"classifier_targets",0,"labels",1`},
		{"in an integration's key", jobs, `{"model": "m", "integrations": [{"project": "p", "api_key": "\ud83d"}]}`, `"integrations",0,"api_key"`},
		{"in a job's metadata, which are ignored", jobs, `{"model": "m", "metadata": {"team": "\ud83d"}}`, `"metadata","team"`},
	} {
		status, body := s.request("POST", test.path, test.body)
		want := `{"detail":[{"type":"string_unicode","loc":["body",` + test.location + `],"msg":"Input should be a valid string, unable to parse raw data as a unicode string"}]}`
		if want = strings.Replace(want, `"body",]`, `"body"]`, 1); status != 422 || body != want {
			t.Errorf("%s: %d %s, want %s", test.reason, status, body, want)
		}
	}
	status, body := s.request("PATCH", "/v1/fine_tuning/models/m", `{"name": "mine \ud83d"}`)
	if status != 422 || !strings.Contains(body, `"type":"string_unicode","loc":["body","name"]`) {
		t.Errorf("in a model's name: %d %s", status, body)
	}
	status, body = s.request("POST", texts, `{"model": "m", "input": ["\ud83d\ude00", "\ufffd", "😀"]}`)
	if status != 400 || !strings.Contains(body, "Invalid model") {
		t.Errorf("whole surrogates: %d %s", status, body)
	}
}
