use crate::author::secret::Secret;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What an argument of a program may be: a text or a path.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a program",
    label = "neither a text nor a path",
    note = "write anything else as a text: `.arg(limit.to_string())`",
    note = "other users of the machine can see arguments: give a `Secret` in the environment, `.env(\"TOKEN\", &token)`"
)]
pub trait IntoArgument: AsRef<OsStr> {}

#[diagnostic::do_not_recommend]
impl<A: AsRef<OsStr>> IntoArgument for A {}

/// What a variable of a program's environment may be: a text, a path, or a [`Secret`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a variable of a program's environment",
    label = "neither a text, a path nor a `Secret`",
    note = "write anything else as a text: `.env(\"LIMIT\", limit.to_string())`"
)]
pub trait IntoVariable {
    #[doc(hidden)]
    fn into_variable(self) -> Variable;
}

/// A variable's value.
#[derive(Debug, Clone)]
pub struct Variable(pub(super) Value);

#[derive(Debug, Clone)]
pub(super) enum Value {
    Plain(OsString),
    Secret(Secret),
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl IntoVariable for $type {
            fn into_variable(self) -> Variable {
                Variable(Value::Plain(self.into()))
            }
        }
    )*};
}
plain!(&str, &String, String, &OsStr, OsString, &Path, &PathBuf, PathBuf);

#[diagnostic::do_not_recommend]
impl IntoVariable for Secret {
    fn into_variable(self) -> Variable {
        Variable(Value::Secret(self))
    }
}

#[diagnostic::do_not_recommend]
impl IntoVariable for &Secret {
    fn into_variable(self) -> Variable {
        Variable(Value::Secret(self.clone()))
    }
}
