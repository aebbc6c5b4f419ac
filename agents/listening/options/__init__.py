"""What options name that tools weigh: languages, times of the recording, differences between two sounds."""
