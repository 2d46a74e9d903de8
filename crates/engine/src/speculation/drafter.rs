//! Where guesses come from: the seam for prompt lookup and for draft models.

/// What a drafter may look at.
#[derive(Debug, Clone, Copy)]
pub struct DraftContext<'a> {
    /// The prompt and the answer so far; the last token was drawn and not yet fed.
    pub tokens: &'a [u32],
    /// The last layer's output, after the final norm, for the token before the last, where the forward pass hands it out:
    /// draft models that were trained with the model go on from it.
    pub hidden: Option<&'a [f32]>,
}

/// How sure a drafter is of a draft: an index below [`CONFIDENCES`], larger is surer. How often each turns out right is
/// measured, so it is a name rather than a number to be trusted.
pub type Confidence = usize;

/// Number of different confidences.
pub const CONFIDENCES: usize = 8;

/// Guesses what the model will write next. A wrong guess costs time and changes nothing else.
pub trait Drafter: Send {
    /// Appends at most `max` guesses for the tokens that follow `context.tokens` to `out`, and says how sure it is.
    fn draft(&mut self, context: &DraftContext<'_>, max: usize, out: &mut Vec<u32>) -> Confidence;

    /// Of the guesses that were tried, the first `right` were what the model wrote.
    fn observe(&mut self, tried: &[u32], right: usize);
}
