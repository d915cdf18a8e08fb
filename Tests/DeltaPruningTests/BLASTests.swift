import DeltaPruning
import Testing

@Suite struct BLASTests {
    @Test func settlesMoreThanOnce() {
        BLASThreads.settle()
        BLASThreads.settle()
    }
}
