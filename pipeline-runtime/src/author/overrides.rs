//! The overrides that a node and a branch's arms take where they are wired.

/// Writes the override methods once, for whoever has `fn handle(&self) -> Handle`.
macro_rules! overrides {
    ($($visibility:tt)?) => {
        /// Gives the node an id of its own instead of its function's name. Of a group it is the group's name.
        #[track_caller]
        $($visibility)? fn named(self, id: impl Into<String>) -> Self {
            crate::author::draft::rename(self.handle(), id.into());
            self
        }

        /// Starts only once `upstreams` have succeeded, without taking their values: a node, or several as `[a, b]`, a slice or a
        /// `Vec`, or as `(a, b)` where their types differ. `a.ended()`, `a.or_skipped()` and `a.failure()` say that it may, or must,
        /// have ended in another way. On the result of `.each` it orders the whole mapping.
        #[track_caller]
        $($visibility)? fn after(self, upstreams: impl crate::author::order::Upstreams) -> Self {
            crate::author::order::after(self.handle(), &upstreams);
            self
        }

        /// A failure here fails neither the run nor what fails because of it. On the result of `.each` it covers every element.
        #[track_caller]
        $($visibility)? fn allow_failure(self) -> Self {
            crate::author::draft::allow_failure(self.handle());
            self
        }

        overrides!(@option $($visibility)?;
            /// Retries after an attempt that failed, at most 1,000,000; attempts in all = retries + 1.
            retries(n: u32) => |options| options.retries = Some(n);
            /// The wait before a retry.
            retry_delay(delay: std::time::Duration) => |options| options.retry_delay = Some(delay);
            /// Growing waits: between retries of a task, between pokes of a sensor.
            backoff(backoff: crate::Backoff) => |options| options.backoff = Some(backoff);
            /// Whether it starts only once the same node has passed in the previous scheduled run: succeeded, or been skipped. Runs by hand do
            /// not wait. What waits is a node of its own before it, `load.past`. Of a group it holds for each node in it.
            depends_on_past(depends: bool) => |options| options.depends_on_past = Some(depends);
            /// The limit of one attempt; of a sensor, of its whole wait.
            timeout(limit: std::time::Duration) => |options| options.timeout = Some(limit);
            /// The pool whose slots it needs.
            pool(pool: &'static crate::Pool) => |options| options.pool = Some(pool);
            /// Who goes first among the nodes that wait for one pool: the highest.
            priority(n: i32) => |options| options.priority = Some(n);
            /// When `on_sla_miss` is called if the node has not ended by then.
            sla(limit: std::time::Duration) => |options| options.sla = Some(limit);
            /// The time from one poke of a sensor to the next.
            poke(interval: std::time::Duration) => |options| options.poke = Some(interval);
            /// A random time of up to this much is added to each interval between pokes.
            poke_jitter(jitter: std::time::Duration) => |options| options.poke_jitter = Some(jitter);
            /// The limit of one poke.
            poke_timeout(limit: std::time::Duration) => |options| options.poke_timeout = Some(limit);
            /// What becomes of a sensor whose timeout is over.
            on_timeout(what: crate::OnTimeout) => |options| options.on_timeout = Some(what);
            /// What a sensor does with its pool slot between two pokes.
            mode(mode: crate::Mode) => |options| options.mode = Some(mode);
            /// Called when the node ends `failed`; replaces the attribute's `on_failure`.
            on_failure(notifier: impl crate::Notify) => |options| options.callbacks.push(crate::author::notify::Callback::new(crate::Event::OnFailure, notifier));
            /// Called when the node ends `upstream_failed`: it did not run, because something before it failed; replaces the attribute's
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
