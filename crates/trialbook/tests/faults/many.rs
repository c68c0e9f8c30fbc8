//! Many processes on one book.
