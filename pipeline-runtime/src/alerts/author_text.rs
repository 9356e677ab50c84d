//! The author's text of an alert, if there is one.

use crate::author::log_once::LogOnce;
use crate::author::notify::Notification;
use crate::author::redaction::redacted;
use crate::author::template::Escaping;
use crate::author::template::alert::AlertText;

/// Renders the author's text for a notification; `None` if there is none or it cannot be rendered. The notifier's own text is
/// sent then: a bad text must not lose the alert.
pub(super) fn render(text: Option<AlertText>, n: &Notification, escaping: Escaping) -> Option<String> {
    let rendered = text?.render(n, escaping);
    let error = match rendered {
        Ok(text) if !text.trim().is_empty() => return Some(redacted(&text).into_owned()),
        Ok(_) => format!("the alert {:?} is empty", text?.source()),
        Err(error) => redacted(&error.to_string()).into_owned(),
    };
    warn(n, &error);
    None
}

/// Warns once per process for each text and reason, because many nodes may have the same.
fn warn(n: &Notification, error: &str) {
    static WARNED: LogOnce = LogOnce::new();
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                $level,
                pipeline = n.pipeline(),
                run = n.run_id(),
                node = n.node(),
                callback = n.name(),
                error,
                "the notifier's own text is sent, because the given one cannot be rendered"
            )
        };
    }
    if WARNED.is_first(error.to_owned()) { event!(tracing::Level::WARN) } else { event!(tracing::Level::DEBUG) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::notify::Event;
    use crate::author::redaction;

    #[test]
    fn a_secret_is_in_no_text_that_is_sent() {
        redaction::hide("hunter2-of-an-alert");
        let text = AlertText::with("{{ key }} {{ error }}", || vec![("key", Ok("hunter2-of-an-alert".into()))]);
        let failure = Notification::for_test(Event::OnFailure).with_error("hunter2-of-an-alert is wrong");
        assert_eq!(render(Some(text), &failure, Escaping::None).unwrap(), "*** *** is wrong");
        assert_eq!(failure.render(&text).unwrap(), "*** *** is wrong");
        assert_eq!(render(None, &failure, Escaping::None), None);
    }
}
