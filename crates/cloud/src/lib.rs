//! Engines on other computers: Cloud Boost (the Gemini API) and the school's server (vLLM, llama-server, Ollama, LM Studio).
