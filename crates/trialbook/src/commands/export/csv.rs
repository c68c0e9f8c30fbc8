//! `--format csv`.
use super::*;

pub(super) fn write(
    _args: &Args,
    _cx: &Context,
    _view: &BookView<'_>,
    _wanted: &Selection,
) -> Result<Written> {
    anyhow::bail!("csv")
}
