internal import ArgumentParser
struct Plan: ParsableCommand {}
