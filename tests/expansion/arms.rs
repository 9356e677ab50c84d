///The arms of [`Route`], as nodes. Taking it apart names every arm, so that a forgotten one is a compile error.
#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
#[allow(dead_code, reason = "an arm that nothing follows is no mistake")]
pub struct RouteArms {
    ///Runs where the branch returned [`Route::Clean`].
    pub clean: ::pipeline_runtime::Node<Report>,
    ///Runs where the branch returned [`Route::Type`].
    pub r#type: ::pipeline_runtime::Node<String>,
    ///Runs where the branch returned [`Route::Nothing`].
    pub nothing: ::pipeline_runtime::Node<()>,
}
const _: () = {
    impl ::pipeline_runtime::Branch for Route {
        type Arms = RouteArms;
        fn split(&self) -> (usize, &dyn ::pipeline_runtime::__private::Datum) {
            match self {
                Self::Clean(value) => {
                    (0, ::pipeline_runtime::__private::value::<Report>(value))
                }
                Self::Type(value) => {
                    (1, ::pipeline_runtime::__private::value::<String>(value))
                }
                Self::Nothing => (2, ::pipeline_runtime::__private::value(&())),
            }
        }
    }
    impl ::pipeline_runtime::__private::Arms<Route> for RouteArms {
        const NAMES: &'static [&'static str] = &["clean", "type", "nothing"];
        #[track_caller]
        fn from_branch(branch: ::pipeline_runtime::__private::BranchHandle) -> Self {
            Self {
                clean: ::pipeline_runtime::__private::arm::<Report>(branch, 0),
                r#type: ::pipeline_runtime::__private::arm::<String>(branch, 1),
                nothing: ::pipeline_runtime::__private::arm::<()>(branch, 2),
            }
        }
        fn branch(&self) -> ::pipeline_runtime::__private::BranchHandle {
            ::pipeline_runtime::__private::branch_of(&self.clean)
        }
    }
};
