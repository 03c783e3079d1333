package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// startingPace is assumed until a job was measured: the engine learned from 0.7 to
// 1.5 MB of text a second of sets with 28 to 150 labels.
const startingPace = 1e6

// LearnPace remembers how fast this machine did a training. The last jobs count
// most: they are what the next is likely to resemble.
func (s *Store) LearnPace(ctx context.Context, measured float64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		known, err := readPace(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings VALUES ('pace', ?1) ON CONFLICT DO UPDATE SET value = ?1`,
			strconv.AppendFloat(nil, (known+measured)/2, 'g', -1, 64))
		return err
	})
}

// Pace is how many bytes of text a second this machine learns from.
func (s *Store) Pace(ctx context.Context) (float64, error) {
	return readPace(ctx, s.reader)
}

func readPace(ctx context.Context, q querier) (float64, error) {
	pace, err := one(ctx, q, scanString, `SELECT value FROM settings WHERE name = 'pace'`)
	if errors.Is(err, ErrNotFound) {
		return startingPace, nil
	}
	if err != nil {
		return 0, err
	}
	value, err := strconv.ParseFloat(pace, 64)
	if err != nil {
		return 0, fmt.Errorf("the pace of training: %w", err)
	}
	return value, nil
}
