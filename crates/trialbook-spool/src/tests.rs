pub(crate) mod arbitrary;
