-- The register: collections, their versions, logged models, webhooks.
CREATE TABLE entry (
    no INTEGER PRIMARY KEY,
    uid BLOB NOT NULL,
    kind TEXT,
    parent INTEGER,
    experiment INTEGER,
    owner TEXT,
    project TEXT,
    name TEXT,
    number INTEGER,
    rev INTEGER NOT NULL,
    state BLOB NOT NULL
);
CREATE INDEX entry_by_parent ON entry (parent, kind, number);
CREATE INDEX entry_by_experiment ON entry (experiment, kind);
CREATE INDEX entry_by_name ON entry (project, name);

CREATE TABLE entry_uid (
    uid BLOB NOT NULL PRIMARY KEY,
    entry INTEGER NOT NULL
) WITHOUT ROWID;
