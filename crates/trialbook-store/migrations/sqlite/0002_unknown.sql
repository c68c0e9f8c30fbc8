-- Records of kinds that the version that sealed them did not know.
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
