package cli

import (
	"strings"
	"testing"
)

// TestStoryInLines holds what an explanation looks like on a terminal: lines are broken
// between words, but not what is to be done, of which commands are copied.
func TestStoryInLines(t *testing.T) {
	told := &story{Kind: kindJob, Namespace: "team", Name: "mail", State: "VALIDATED",
		Steps: []step{{Name: "start", State: stepStuck, Text: strings.TrimSpace(strings.Repeat("many words ", 12))}},
		Notes: []string{strings.TrimSpace(strings.Repeat("a note ", 12))},
		Next:  advice{you, strings.TrimSpace(strings.Repeat("kubectl patch ", 10))}}
	for _, width := range []int{60, 0} {
		var text strings.Builder
		told.tell(&text, false, width)
		for _, line := range strings.Split(text.String(), "\n") {
			isNext := strings.HasPrefix(line, "Next (you): kubectl")
			if width > 0 && !isNext && len([]rune(line)) > width {
				t.Errorf("a terminal of %d breaks %q", width, line)
			}
		}
		if want := strings.Repeat("kubectl patch ", 9) + "kubectl patch\n"; !strings.HasSuffix(text.String(), want) {
			t.Errorf("what is to be done is broken:\n%s", text.String())
		}
		if broken := strings.Contains(text.String(), "\n"+strings.Repeat(" ", 14)+"many"); broken != (width > 0) {
			t.Errorf("at a width of %d the step is\n%s", width, text.String())
		}
	}
}
