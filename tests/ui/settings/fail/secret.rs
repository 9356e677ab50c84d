//! Also: a setting that is a secret, which would be kept and shown

use pipeline_runtime::prelude::*;

static KEY: Setting<Secret> = Setting::new("key", Secret::env("PORTAL_KEY"));

fn main() {
    let _ = KEY.name();
}
