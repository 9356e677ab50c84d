//! Single cases, by hand.
