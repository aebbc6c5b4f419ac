"""The audio-language model: encoder, connector, backbone."""
