package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Change is what another process has changed, or this one.
type Change struct {
	Kind ChangeKind
	ID   string // of the job or the model
}

// ChangeKind is what kind of thing has changed, in the words of the schema's triggers.
type ChangeKind string

// What is told of.
const (
	JobQueued    ChangeKind = "queued"
	JobCancelled ChangeKind = "cancel"
	ModelChanged ChangeKind = "model"
	KeyChanged   ChangeKind = "key"
	AnyChanged   ChangeKind = "" // nothing was heard for a while
)

// sessionInterval is how often a session is looked after: how late a leader's place is taken, and
// a lost connection noticed.
const sessionInterval = time.Second

// session is a connection that hears of changes, and by which one process of all leads.
type session struct{ *pgx.Conn }

func (d postgresDatabase) openSession(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, sessionPatience)
	defer cancel()
	connection, err := pgx.ConnectConfig(ctx, d.config)
	if err != nil {
		return nil, err
	}
	for _, statement := range impatient {
		_, failed := connection.Exec(ctx, statement)
		err = errors.Join(err, failed)
	}
	var listen string
	if err == nil {
		err = connection.QueryRow(ctx, `SELECT 'LISTEN classifier_factory_' || md5(current_schema())`).Scan(&listen)
	}
	if err == nil {
		_, err = connection.Exec(ctx, listen)
	}
	s := &session{connection}
	if err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// end lets go of the leader's place at once.
func (s *session) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionInterval)
	defer cancel()
	return s.Close(ctx)
}

// Attend tells heard what changes in the database, whoever changes it, and runs lead while this
// process is the leader of all that have one, until the context ends. It is called once. failed
// is told why nothing is heard for a while. With SQLite there is nothing to hear, and this
// process leads.
func (s *Store) Attend(ctx context.Context, heard func(Change), lead func(context.Context), failed func(error)) {
	if s.dialect.isAlone {
		lead(ctx)
		return
	}
	for ctx.Err() == nil {
		if err := s.attend(ctx, heard, lead); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-time.After(sessionInterval):
		case <-ctx.Done():
		}
	}
}

func (s *Store) attend(ctx context.Context, heard func(Change), lead func(context.Context)) error {
	session, err := s.engine.openSession(ctx)
	if err != nil {
		return err
	}
	term := &term{lead: lead}
	heard(Change{Kind: AnyChanged})
	for err == nil && ctx.Err() == nil {
		if err = term.begin(ctx, session); err == nil {
			err = session.hear(ctx, heard)
		}
	}
	term.end()
	_ = session.end() // it may be lost already
	return err
}

// hear passes changes on for a while, and fails when the connection is lost.
func (s *session) hear(ctx context.Context, heard func(Change)) error {
	waiting, cancel := context.WithTimeout(ctx, sessionInterval)
	defer cancel()
	for {
		told, err := s.WaitForNotification(waiting)
		if waiting.Err() != nil && ctx.Err() == nil && !s.IsClosed() {
			return s.alive(ctx)
		}
		if err != nil {
			return err
		}
		kind, id, _ := strings.Cut(told.Payload, " ")
		heard(Change{ChangeKind(kind), id})
	}
}

// sessionPatience is how long PostgreSQL is waited for: who is cut off from it must not lead on.
const sessionPatience = 5 * time.Second

func (s *session) alive(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, sessionPatience)
	defer cancel()
	return s.Ping(patience)
}

// term is the time in which a process leads.
type term struct {
	lead   func(context.Context)
	cancel context.CancelFunc
	done   chan struct{}
}

// begin tries to become the leader, unless this process is it or wants none.
func (t *term) begin(ctx context.Context, s *session) error {
	if t.lead == nil || t.cancel != nil {
		return nil
	}
	var leads bool
	err := s.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, hashtext(current_schema()))`, leaderLock).Scan(&leads)
	if err != nil || !leads {
		return err
	}
	var leading context.Context
	leading, t.cancel = context.WithCancel(ctx)
	t.done = make(chan struct{})
	go func() {
		defer close(t.done)
		t.lead(leading)
	}()
	return nil
}

func (t *term) end() {
	if t.cancel != nil {
		t.cancel()
		<-t.done
	}
}
