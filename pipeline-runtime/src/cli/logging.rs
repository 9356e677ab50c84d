//! The level and format of log lines, from options and environment.

use crate::observe::logs::{LogFormat, Logging};
use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

/// Returns the level and format: the options, else the environment variables, else `info` and text.
pub(super) fn logging(level_option: Option<LevelFilter>, format: Option<LogFormat>) -> Result<Logging, String> {
    Ok(Logging {
        level: option_or(level_option, "PIPELINE_LOG", level, LevelFilter::INFO)?,
        format: option_or(format, "PIPELINE_LOG_FORMAT", log_format, LogFormat::default())?,
    })
}

fn option_or<T>(option: Option<T>, name: &str, read: fn(&str) -> Result<T, String>, default: T) -> Result<T, String> {
    if let Some(option) = option {
        return Ok(option);
    }
    match std::env::var(name) {
        Ok(text) if !text.trim().is_empty() => {
            read(text.trim()).map_err(|problem| format!("the environment variable {name} is `{text}`: {problem}"))
        }
        _ => Ok(default),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    LogFormat::from_str(text, true).map_err(|_| "a format is text or json".into())
}

pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => return Err("a level is one of off, error, warn, info, debug, trace".into()),
    })
}
