"""Scale of a deployment: replicas, autoscaling, and the processors and GPUs of each replica."""

from typing import Any, Self

from pydantic import Field, model_validator

from services.types import Value

STOP_POLL_S = 0.1  # period in which a stopping replica checks whether its requests are done; Ray's is 2 s
HEALTH_S = 1.0  # period of Ray's health check; its default of 10 s leaves a killed replica unreplaced that long


class Autoscaling(Value):
    """Autoscaling of a deployment: the bounds of its number of replicas, and the load that changes it."""

    min_replicas: int = Field(default=1, ge=1)
    max_replicas: int = Field(ge=1)
    target_ongoing_requests: float = Field(default=2.0, gt=0)
    """Requests in work or waiting, per replica; above it replicas are added."""
    upscale_delay_s: float = Field(default=5.0, ge=0)
    downscale_delay_s: float = Field(default=60.0, ge=0)
    look_back_period_s: float = Field(default=15.0, gt=0)
    """Seconds that the requests are averaged over."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas is {self.min_replicas}, more than max_replicas, {self.max_replicas}")
        return self


class Scale(Value):
    """How many replicas a deployment has and what each may use."""

    num_replicas: int = Field(default=1, ge=1)
    autoscaling: Autoscaling | None = None
    """Instead of a fixed number of replicas."""
    num_cpus: float = Field(default=0.2, ge=0)
    """A share for Ray's scheduler, not a limit: the threads of a replica use what is free."""
    num_gpus: float = Field(default=0.0, ge=0)
    """Less than 1: replicas share a GPU, and vLLM takes so much of its memory; 2 or more: vLLM splits the model."""
    accelerator_type: str | None = None
    """The GPU that a replica is placed at, such as A100, as Ray names it; None: any."""
    max_replicas_per_node: int | None = Field(default=None, ge=1)
    """So that the loss of one machine is not the loss of all; None: as Ray packs them."""
    max_ongoing_requests: int = Field(default=64, ge=1)
    """Per replica."""
    max_queued_requests: int = Field(default=256, ge=-1)
    """Back-pressure: requests that each agent may have queued for a replica, -1 any number; beyond: 503."""
    drain_s: float = Field(default=20.0, gt=0)
    """Graceful shutdown: seconds that a replica has to finish the requests in work."""

    @model_validator(mode="after")
    def _can_be_placed(self) -> Self:
        if self.autoscaling and self.num_replicas != 1:
            raise ValueError("num_replicas and autoscaling exclude each other: leave one out")
        if self.num_gpus > 1 and self.num_gpus % 1:
            raise ValueError(f"num_gpus is {self.num_gpus}: a replica has part of one GPU, or whole ones")
        return self

    def to_options(self) -> dict[str, Any]:
        """Return this as options of a Ray Serve deployment."""
        replicas: dict[str, Any] = {"num_replicas": self.num_replicas}
        if self.autoscaling:
            replicas = {"autoscaling_config": self.autoscaling.model_dump()}
        actor: dict[str, Any] = {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus}
        if self.accelerator_type is not None:
            actor["accelerator_type"] = self.accelerator_type
        if 0 < self.num_gpus < 1:
            actor["runtime_env"] = {"env_vars": {"EARWITNESS_GPU_SHARE": f"{self.num_gpus}"}}
        return replicas | {
            "max_ongoing_requests": self.max_ongoing_requests,
            "max_queued_requests": self.max_queued_requests,
            "max_replicas_per_node": self.max_replicas_per_node,
            "ray_actor_options": actor,
            "health_check_period_s": HEALTH_S,
            "graceful_shutdown_timeout_s": self.drain_s,
            "graceful_shutdown_wait_loop_s": STOP_POLL_S,
        }
