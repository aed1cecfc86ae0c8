"""How what platforms say gets into the mirror: webhooks are kept and applied, streams are polled."""
