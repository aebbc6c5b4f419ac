"""Settings from environment variables; read them through `services.settings`."""

from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Environment variables; the prefix is `EARWITNESS_` except where a field names its own."""

    model_config = SettingsConfigDict(env_prefix="EARWITNESS_", frozen=True)

    home: Path = Field(default_factory=lambda: user_cache_path("earwitness"))
    """Folder for weights and the cache of captions, transcripts and readings."""
    api_key: SecretStr | None = None
    """Key sent to the server that `--llm-url` names."""
    api_keys_file: Path | None = None
    """File with the hashes of the API keys that `earwitness serve` accepts; None: `api-keys` in `home`."""
    perception_max_bytes: int = Field(default=1_000_000_000, ge=0)
    """Most bytes of cached captions, transcripts and readings on disk; the least recently used entries are evicted
    first. 0: nothing is kept on disk."""
    shared_perception: bool = False
    """Whether all API keys share what is cached; else each has its own, as response times tell what others asked."""
    gpu_share: float = Field(default=1.0, gt=0, le=1)
    """Share of a GPU's memory that vLLM may take here; `earwitness serve` sets it for replicas with part of one."""
    reader_process: bool = False
    """Whether an embedded LLM reads in a process of its own, which is killed where a cancelled reading would go on;
    `earwitness serve` sets it."""
    captioner_url: str | None = None
    """Base URL of the server that hosts a served captioner."""
    prometheus_multiproc_dir: Path | None = Field(default=None, validation_alias="PROMETHEUS_MULTIPROC_DIR")
    """Folder in which the processes of one machine add up their metrics."""
    log_pipe: Path | None = None
    """Named pipe for log lines, which another process reads; None: stderr."""
    listen_host: str = "127.0.0.1"
    """Where HAProxy listens for clients; `earwitness serve` sets it."""
    stop_file: Path | None = None
    """File whose existence says that the service is shutting down."""
    start_failures: Path | None = None
    """Folder for the reports of replicas that cannot open their model; None: none are written."""
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Where OpenTelemetry spans are sent; None: none are made."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    gemini_api_key: SecretStr | None = Field(default=None, validation_alias="GEMINI_API_KEY")
    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias="ANTHROPIC_API_KEY")

    @property
    def vllm_memory(self) -> float:
        """Share of a GPU's memory that vLLM may fill, in (0, 1]: nine tenths of this process's share."""
        return 0.9 * self.gpu_share
