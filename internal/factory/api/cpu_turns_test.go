package api

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestTenantsTakeTurns on two CPUs.
func TestTenantsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newCPUTurns()
		turns.cpus = 2
		var entered []string
		requests := map[string][]*turn{} // that work
		enter := func(tenant string) {
			go func() {
				turn := turns.request(tenant)
				turn.begin()
				entered, requests[tenant] = append(entered, tenant), append(requests[tenant], turn)
			}()
			synctest.Wait()
		}
		leave := func(tenant string) {
			requests[tenant][0].over()
			requests[tenant] = requests[tenant][1:]
			synctest.Wait()
		}
		expect := func(reason string, want ...string) {
			t.Helper()
			if !slices.Equal(entered, want) {
				t.Errorf("%s: %s work, want %s", reason, strings.Join(entered, " "), strings.Join(want, " "))
			}
		}
		for range 4 {
			enter("hostile")
		}
		expect("as many as there are CPUs", "hostile", "hostile")
		enter("good")
		expect("a tenant of whom nobody works waits for nobody", "hostile", "hostile", "good")
		enter("good")
		expect("its second does", "hostile", "hostile", "good")
		leave("hostile")
		expect("there are two still", "hostile", "hostile", "good")
		leave("hostile")
		expect("the tenant of whom nobody works is next", "hostile", "hostile", "good", "hostile")
		leave("good")
		expect("so here", "hostile", "hostile", "good", "hostile", "good")
		leave("hostile")
		expect("and here", "hostile", "hostile", "good", "hostile", "good", "hostile")
		leave("hostile")
		leave("good")
		if turns.working != 0 || len(turns.tenants) != 0 || len(turns.order) != 0 {
			t.Errorf("%d work, %d tenants and %d in line are left", turns.working, len(turns.tenants), len(turns.order))
		}
	})
}

// TestNobodyWaitsToEnd: whoever has written the last part of an answer needs no turn any more.
func TestNobodyWaitsToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newCPUTurns()
		turns.cpus = 1
		first, second := turns.request("tenant"), turns.request("tenant")
		first.begin()
		go second.begin()
		synctest.Wait()
		if _, err := first.writer(httptest.NewRecorder()).Write([]byte("all")); err != nil {
			t.Fatal(err)
		}
		first.over() // while the second works
		synctest.Wait()
		if !second.works {
			t.Error("the next one does not work")
		}
		second.over()
	})
}
