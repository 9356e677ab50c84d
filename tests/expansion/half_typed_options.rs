#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::task::*;
            use self::{};
        }
    }
};

#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::task::*;
            use self::re as _;
        }
    }
};

#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::task::*;
            use self::{
                retries as _, backoff::{start as _, ma as _},
                pool as _, on_failure as _,
            };
        }
    }
};

#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::sensor::*;
            use self::po as _;
        }
    }
};

#[allow(unexpected_cfgs, reason = "rust-analyzer alone sets it")]
const _: () = {
    #[cfg(rust_analyzer)]
    {
        mod options {
            use ::pipeline_runtime::__private::options::pipeline::*;
            use self::{
                defaults::{re as _, backoff::s as _},
                escalate as _, ta as _,
            };
        }
    }
};
