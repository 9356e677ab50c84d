//! Also: a secret as a setting's type

use pipeline_runtime::prelude::*;

static KEY: Setting<Secret> = Setting::new("key", Secret::env("PORTAL_KEY"));

fn main() {
    let _ = KEY.name();
}
