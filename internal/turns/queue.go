package turns

import "slices"

// queue is places in their order: of each namespace the first, then of each the
// second, and so on.
type queue struct {
	namespaces []string // with places, the next one first
	places     map[string][]*place
}

func newQueue() queue { return queue{places: map[string][]*place{}} }

func anybody(*place) bool { return true }

func (q *queue) add(added *place) {
	namespace := added.who.Namespace
	if len(q.places[namespace]) == 0 {
		q.namespaces = append(q.namespaces, namespace)
	}
	q.places[namespace] = append(q.places[namespace], added)
}

// peek gives the next one that fits. Of a namespace the first decides for all.
func (q *queue) peek(fits func(*place) bool) *place {
	for _, namespace := range q.namespaces {
		if first := q.places[namespace][0]; fits(first) {
			return first
		}
	}
	return nil
}

// take takes one out whose turn it is. Then it is the other namespaces' turn.
func (q *queue) take(taken *place) {
	q.remove(taken)
	namespace := taken.who.Namespace
	if i := slices.Index(q.namespaces, namespace); i >= 0 {
		q.namespaces = append(slices.Delete(q.namespaces, i, i+1), namespace)
	}
}

func (q *queue) remove(removed *place) {
	namespace := removed.who.Namespace
	left := slices.DeleteFunc(q.places[namespace], func(p *place) bool { return p == removed })
	if len(left) > 0 {
		q.places[namespace] = left
		return
	}
	delete(q.places, namespace)
	q.namespaces = slices.DeleteFunc(q.namespaces, func(name string) bool { return name == namespace })
}
