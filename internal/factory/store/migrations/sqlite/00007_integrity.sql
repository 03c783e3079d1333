-- +goose Up

-- Which history of changes this is, and how many there were: the file "generation"
-- beside it says the same, so that an older database is noticed.
CREATE TABLE generation (
    id     TEXT    NOT NULL,
    number INTEGER NOT NULL
) STRICT;

INSERT INTO generation VALUES (lower(hex(randomblob(16))), 0);

-- Bytes that nothing refers to, and since when that is known.
CREATE TABLE unreferenced (
    digest   TEXT PRIMARY KEY,
    found_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
