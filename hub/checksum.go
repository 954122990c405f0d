package hub

import "hash/crc32"

// checksum is the CRC-32 of a text, as gzip has it, in a form in which those of consecutive texts can be combined.
type checksum struct {
	crc    uint32
	length uint32 // modulo 2^32
	shift  uint32 // shiftOver the length; only used of a text that is appended
}

// append adds a text that follows.
func (c *checksum) append(next checksum) {
	c.crc = multiply(next.shift, c.crc) ^ next.crc
	c.length += next.length
}

// A CRC is a polynomial over the field of two elements, modulo that of crc32.IEEE, and bit 31 is the coefficient of x^0.
// The CRC of two texts one after the other is that of the first times x^(8*length of the second), plus that of the second:
// the inversions at the beginning and at the end of each CRC cancel out.
const (
	one        = 1 << 31
	xToThe8    = one >> 8
	polynomial = crc32.IEEE
)

// shiftOver returns x^(8n).
func shiftOver(n int) uint32 {
	power, square := uint32(one), uint32(xToThe8)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return power
}

// multiply returns the product of two polynomials.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 { // from the coefficient of x^0 on; b becomes b times x each time
		if a&one != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= polynomial
		}
	}
	return product
}
