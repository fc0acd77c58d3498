"""Vision-language models behind one small protocol, and the ledger of every call."""
