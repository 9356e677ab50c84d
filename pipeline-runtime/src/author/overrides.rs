//! The overrides of nodes, groups and a branch's arms, as methods.

/// Writes the override methods once, for every type with `fn handle(&self) -> Handle`.
macro_rules! overrides {
    ($($visibility:tt)?) => {
        /// Sets the node's id, instead of its function's name. For a group it sets the group's name.
        #[track_caller]
        $($visibility)? fn named(self, id: impl Into<String>) -> Self {
            crate::author::draft::rename(self.handle(), id.into());
            self
        }

        /// Starts only once `upstreams` have succeeded, without taking their values. Takes a node, or several as `[a, b]`, a
        /// slice or a `Vec`, or as `(a, b)` if their types differ. `a.ended()`, `a.or_skipped()` and `a.failure()` change how `a`
        /// may, or must, have ended. On the result of `.each` it orders the whole mapping.
        #[track_caller]
        $($visibility)? fn after(self, upstreams: impl crate::author::order::Upstreams) -> Self {
            crate::author::order::after(self.handle(), &upstreams);
            self
        }

        /// A failure here fails neither the run nor the nodes that fail because of it. On the result of `.each` it covers every
        /// element.
        #[track_caller]
        $($visibility)? fn allow_failure(self) -> Self {
            crate::author::draft::allow_failure(self.handle());
            self
        }

        overrides!(@option $($visibility)?;
            /// The number of retries after a failed attempt, at most 1,000,000. The total number of attempts is `retries + 1`.
            retries(n: u32) => |options| options.retries = Some(n);
            /// The wait before a retry.
            retry_delay(delay: std::time::Duration) => |options| options.retry_delay = Some(delay);
            /// Growing waits: between retries of a task, between pokes of a sensor.
            backoff(backoff: crate::Backoff) => |options| options.backoff = Some(backoff);
            /// Whether the node starts only once the same node has passed in the previous scheduled run: succeeded, or was
            /// skipped. Manual runs do not wait. A separate node before it waits, `load.past`. On a group it applies to each node
            /// in it.
            depends_on_past(depends: bool) => |options| options.depends_on_past = Some(depends);
            /// The time limit of one attempt; for a sensor, of its whole wait.
            timeout(limit: std::time::Duration) => |options| options.timeout = Some(limit);
            /// The pool that a slot is taken from.
            pool(pool: &'static crate::Pool) => |options| options.pool = Some(pool);
            /// The order in which nodes that wait for the same pool start: the highest goes first.
            priority(n: i32) => |options| options.priority = Some(n);
            /// `on_sla_miss` is called if the node has not ended within this limit.
            sla(limit: std::time::Duration) => |options| options.sla = Some(limit);
            /// The wait between two pokes of a sensor.
            poke(interval: std::time::Duration) => |options| options.poke = Some(interval);
            /// The maximum random time that is added to each wait between pokes.
            poke_jitter(jitter: std::time::Duration) => |options| options.poke_jitter = Some(jitter);
            /// The time limit of one poke.
            poke_timeout(limit: std::time::Duration) => |options| options.poke_timeout = Some(limit);
            /// What happens to a sensor that reaches its timeout.
            on_timeout(what: crate::OnTimeout) => |options| options.on_timeout = Some(what);
            /// What a sensor does with its pool slot between two pokes.
            mode(mode: crate::Mode) => |options| options.mode = Some(mode);
            /// Called when the node ends `failed`; replaces the attribute's `on_failure`.
            on_failure(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnFailure, notifier));
            /// Called when the node ends `upstream_failed`: it did not run because an upstream failed; replaces the attribute's
            /// `on_upstream_failed`.
            on_upstream_failed(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnUpstreamFailed, notifier));
            /// Called when an attempt failed and will be retried; replaces the attribute's `on_retry`.
            on_retry(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnRetry, notifier));
            /// Called when the node succeeds; replaces the attribute's `on_success`.
            on_success(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnSuccess, notifier));
            /// Called when the node is skipped; replaces the attribute's `on_skipped`.
            on_skipped(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnSkipped, notifier));
            /// Called when the node misses its `sla`; replaces the attribute's `on_sla_miss`.
            on_sla_miss(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnSlaMiss, notifier));
        );
    };
    (@option ; $($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) => |$options:ident| $set:expr;)*) => {
        $(
            $(#[$doc])*
            #[track_caller]
            fn $name(self, $argument: $type) -> Self {
                crate::author::draft::set(self.handle(), stringify!($name), |$options| $set);
                self
            }
        )*
    };
    (@option $visibility:tt; $($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) => |$options:ident| $set:expr;)*) => {
        $(
            $(#[$doc])*
            #[track_caller]
            $visibility fn $name(self, $argument: $type) -> Self {
                crate::author::draft::set(self.handle(), stringify!($name), |$options| $set);
                self
            }
        )*
    };
}
pub(crate) use overrides;
