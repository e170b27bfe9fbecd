//! Text normalisation, alignment and error rates; pure.
