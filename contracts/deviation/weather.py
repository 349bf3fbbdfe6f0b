"""Check 14, weather: a day that is away from what its temperature or its production explains.

A day is judged once, at the first reading of a later day: then it is over. The residuals of the
training window say what is usual; sigma has a floor, because few days can lie close to a line by
chance.
"""

from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict


def check_weather(observation: Observation) -> Verdict:
    """Compares the completed day with the day model in force, to either side."""
    day, settings = observation.day, observation.settings
    if day is None:
        return None
    sigma = max(day.sigma, abs(day.expected) * settings.weather_floor_percent // 100, 1)
    distance = abs(day.amount - day.expected) * 10 // sigma
    if distance < settings.weather_sigma_tenths:
        return PASSED
    return Deviation(day.amount, day.expected)
