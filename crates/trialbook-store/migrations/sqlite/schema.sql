CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    axis INTEGER,
    roll BLOB NOT NULL,
    data BLOB NOT NULL
);

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

CREATE INDEX entry_by_experiment ON entry (experiment, kind);

CREATE INDEX entry_by_name ON entry (project, name);

CREATE INDEX entry_by_parent ON entry (parent, kind, number);

CREATE TABLE entry_uid (
    uid BLOB NOT NULL PRIMARY KEY,
    entry INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE experiment (
    no INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT,
    rev INTEGER NOT NULL,
    state BLOB NOT NULL
);

CREATE INDEX experiment_by_name ON experiment (project, name);

CREATE INDEX experiment_by_rev ON experiment (rev);

CREATE TABLE experiment_uid (
    uid BLOB NOT NULL PRIMARY KEY,
    experiment INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE migration (name TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE name (
    no INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE operation (
    uid BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE project (
    name TEXT NOT NULL PRIMARY KEY,
    rev INTEGER NOT NULL,
    state BLOB NOT NULL
);

CREATE TABLE purged (
    subject BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE removed_run (
    no INTEGER PRIMARY KEY,
    rev INTEGER NOT NULL
);

CREATE TABLE run (
    no INTEGER PRIMARY KEY,
    uid BLOB NOT NULL UNIQUE,
    experiment INTEGER NOT NULL,
    number INTEGER,
    rev INTEGER NOT NULL,
    state BLOB NOT NULL
);

CREATE INDEX run_by_number ON run (experiment, number);

CREATE INDEX run_by_rev ON run (rev);

CREATE TABLE sequence (
    writer BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (writer, first)
) WITHOUT ROWID;

CREATE TABLE snapshot (
    sha256 TEXT NOT NULL PRIMARY KEY,
    document BLOB NOT NULL
);

CREATE TABLE spool (
    name TEXT NOT NULL PRIMARY KEY,
    offset INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    damage TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE unknown (
    writer BLOB NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    actor TEXT,
    operation BLOB,
    payload BLOB NOT NULL,
    PRIMARY KEY (writer, seq)
);
