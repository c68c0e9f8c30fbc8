//! `trialbook log param`: params are written once (M-5).

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use trialbook_model::record::{Op, SetParams};

use crate::context::Context;
use crate::failure::Failure;
use crate::figures::count;
use crate::once::WriteOnce;
use crate::target::RunChoice;
use crate::{secrets, values};

/// Record params, each written once
///
/// Numbers, true and false are read as such, everything else is text. The same value again is accepted,
/// another one is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trialbook log param lr 0.1
  trialbook log param lr=0.1 model=bert
  trialbook log param --params '{\"learning_rate\": 2e-5, \"optimizer\": {\"name\": \"adam\"}}'")]
pub(crate) struct Args {
    /// Params: KEY=VALUE …, or KEY VALUE
    #[arg(value_name = "KEY=VALUE", allow_negative_numbers = true)]
    values: Vec<String>,
    /// Params as a JSON map; maps inside are flattened with dots
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    #[command(flatten)]
    choice: RunChoice,
}

#[derive(Serialize)]
struct Logged {
    run: String,
    handle: String,
    params: usize,
}

/// Records them.
pub(super) fn run(args: &Args, cx: &Context) -> Result<ExitCode> {
    let mut params = values::params(&args.values)?;
    if let Some(json) = &args.params {
        params.extend(values::params_of_json(json)?);
    }
    if params.is_empty() {
        return Err(Failure::Usage {
            problem: "no param is given".to_owned(),
            hint: "write `trialbook log param lr=0.1`".to_owned(),
        }
        .into());
    }
    let (open, target) = super::open(&args.choice, cx)?;
    let params = WriteOnce::of(&target.run, &target.title).accept(params)?;
    secrets::tell_redacted(cx, params.iter().map(|(key, param)| (key, &param.text)));
    let logged = Logged {
        run: target.uid().to_string(),
        handle: target.title.clone(),
        params: params.len(),
    };
    let mut writer = open.writer(cx)?;
    writer.record(&Op::SetParams(SetParams {
        run: target.uid(),
        params,
    }))?;
    writer.finish(cx)?;
    if cx.printer.json_wanted() {
        cx.printer.json(super::SCHEMA, &logged)?;
    } else {
        let params = count(logged.params as u64, "parameter");
        cx.printer
            .line(format!("Logged {params} to {}", target.told()));
    }
    Ok(ExitCode::SUCCESS)
}
