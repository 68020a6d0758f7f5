import express from 'express'
import { describeAdapter } from './contract.ts'
import { serveExpress } from './sites.ts'

describeAdapter('Express 5', serveExpress(express, 'pipe'))
