// Without an assembly file beside it, the compiler refuses functions without a body.
