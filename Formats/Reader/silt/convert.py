"""Section 8.4: conversion of a base between F32, F16 and BF16, on bit patterns."""

from __future__ import annotations

import numpy as np

INFINITY = 0x7F80_0000


def widen(patterns: np.ndarray, dtype: str) -> np.ndarray:
    """F32 patterns (u32) of F16, BF16 or F32 patterns."""
    u = patterns.astype(np.uint32)
    if dtype == "F32":
        return u
    if dtype == "BF16":
        return u << 16
    sign, exponent, mantissa = (u & 0x8000) << 16, u >> 10 & 31, u & 1023
    normal = (exponent + 112) << 23 | mantissa << 13
    special = np.uint32(INFINITY) | mantissa << 13
    subnormal = (mantissa.astype(np.float32) * np.float32(2.0**-24)).view(np.uint32)
    return sign | np.where(exponent == 31, special, np.where(exponent == 0, subnormal, normal))


def narrow(u: np.ndarray, dtype: str) -> np.ndarray:
    """Patterns of `dtype` nearest to F32 patterns (u32), ties to even."""
    if dtype == "F32":
        return u
    magnitude = u & 0x7FFF_FFFF
    nan = magnitude > INFINITY
    finite = np.where(nan, 0, magnitude)
    if dtype == "BF16":
        rounded = finite + 0x7FFF + (finite >> 16 & 1) >> 16 | u >> 16 & 0x8000
        return np.where(nan, u >> 16 | 0x0040, rounded).astype(np.uint16)
    rounded = finite - 0x3800_0000 + 0x0FFF + (finite >> 13 & 1) >> 13
    steps = np.minimum(finite, 0x3880_0000).view(np.float32).astype(np.float64) * 2.0**24
    subnormal = np.rint(steps).astype(np.uint32)
    half = np.where(finite < 0x3880_0000, subnormal, np.minimum(rounded, 0x7C00))
    half = np.where(nan, 0x7E00 | (u & 0x7F_FFFF) >> 13, half)
    return (half | u >> 16 & 0x8000).astype(np.uint16)


def convert(patterns: np.ndarray, source: str, target: str) -> np.ndarray:
    """Patterns of the target dtype; the very same where the dtypes are equal, NaN payloads included."""
    return patterns if source == target else narrow(widen(patterns, source), target)
