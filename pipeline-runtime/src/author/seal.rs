/// Seals a trait whose method takes it: code outside of this crate cannot name it, and therefore cannot implement the trait.
#[derive(Debug, Clone, Copy)]
pub struct Seal;
