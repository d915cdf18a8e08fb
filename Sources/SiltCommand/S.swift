import ArgumentParser
@main struct S: ParsableCommand { mutating func run() {} }
