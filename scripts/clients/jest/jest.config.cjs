module.exports = { testMatch: ['**/*.test.cjs'], transform: {}, moduleFileExtensions: ['cjs', 'js', 'json'] };
