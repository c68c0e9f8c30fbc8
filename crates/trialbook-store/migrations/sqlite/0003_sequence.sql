-- Which records of each writer are in the book, as ranges of their numbers.
CREATE TABLE sequence (
    writer BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (writer, first)
) WITHOUT ROWID;
