/// Seals a trait whose method takes it: nobody outside of this crate can name it, and so nobody can implement the trait.
#[derive(Debug, Clone, Copy)]
pub struct Seal;
